import { Alert, Button, PasswordInput, Stack, Text } from '@mantine/core'
import { useState, type SubmitEvent } from 'react'

import { useMessages } from '../messages/messages.ts'
import { useSignIn, useSignInMethods } from './sign-in.ts'

/** Signs in with a pasted token or at the company's identity provider. */
export function SignInForm({ problem = null }: { readonly problem?: string | null }) {
  const messages = useMessages().signIn
  const { data: methods } = useSignInMethods()
  const { signIn, error, isPending } = useSignIn()
  const [token, setToken] = useState('')
  const [isEmpty, setEmpty] = useState(false)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    setEmpty(token.trim() === '')
    if (token.trim() !== '') void signIn({ token: token.trim() })
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        {problem === null ? null : (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        )}
        {methods?.provider ? (
          <Button component="a" href={methods.provider.startUrl} variant="default" size="sm">
            {messages.withProvider(methods.provider.name)}
          </Button>
        ) : null}
        <PasswordInput
          label={messages.token}
          placeholder="orp_…"
          autoComplete="off"
          data-autofocus
          value={token}
          onChange={({ currentTarget }) => setToken(currentTarget.value)}
          error={isEmpty ? messages.needed : error === '' ? messages.failed : error}
        />
        <Button type="submit" size="sm" loading={isPending}>
          {messages.submit}
        </Button>
        <Text size="xs" c="dimmed">
          {messages.link}
        </Text>
      </Stack>
    </form>
  )
}
