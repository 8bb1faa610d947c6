import { Paper, Text, Title } from '@mantine/core'
import { useEffect, useState } from 'react'

import mark from '../orrery.svg'
import { useMessages } from '../messages/messages.ts'
import { useSignIn } from './sign-in.ts'
import { SignInForm } from './SignInForm.tsx'
import styles from './SignInPage.module.css'

/** Takes the code out of the address, where a later visitor of this browser would find it. */
function takeCode(): string | null {
  const code = location.pathname === '/sign-in' ? location.hash.slice(1) : ''
  if (code === '') return null
  history.replaceState(null, '', '/sign-in')
  return code
}

/** What somebody sees who is not signed in, at whatever address: it stays, and is shown afterwards. */
export function SignInPage() {
  const messages = useMessages().signIn
  const { signIn, error, isPending } = useSignIn()
  const [code] = useState(takeCode)
  useEffect(() => {
    if (code !== null) void signIn({ code })
    // A code can be used once, so this must not follow what changes with each rendering.
  }, [code])
  return (
    <main className={styles.page}>
      <Paper className={styles.card} withBorder>
        <img src={mark} alt="" width={40} height={40} />
        <Title order={1} className={styles.title}>
          {messages.title}
        </Title>
        {isPending ? <Text role="status">{messages.checking}</Text> : <SignInForm problem={error} />}
      </Paper>
    </main>
  )
}
