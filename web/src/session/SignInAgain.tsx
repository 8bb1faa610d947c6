import { Modal, Text } from '@mantine/core'

import { sessionEnded } from '../api/session-state.ts'
import { useStore } from '../api/store.ts'
import { useMessages } from '../messages/messages.ts'
import { SignInForm } from './SignInForm.tsx'

/** Lies over the page when its session has ended; the page below keeps what was typed. */
export function SignInAgain() {
  const messages = useMessages().signIn
  return (
    <Modal
      opened={useStore(sessionEnded)}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={messages.title}
      zIndex={400}
    >
      <Text size="sm" mb="md">
        {messages.again}
      </Text>
      <SignInForm />
    </Modal>
  )
}
