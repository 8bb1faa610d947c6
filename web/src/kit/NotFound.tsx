import { Button } from '@mantine/core'
import { Link } from 'wouter'

import { useMessages } from '../messages/messages.ts'
import { Empty } from './Empty.tsx'
import { useTitle } from './use-title.ts'

/** Of an address that leads nowhere. What is another's looks the same. */
export function NotFound() {
  const messages = useMessages().notFound
  useTitle(messages.title)
  return (
    <Empty title={messages.title} text={messages.text}>
      <Button component={Link} href="/" variant="default">
        {messages.home}
      </Button>
    </Empty>
  )
}
