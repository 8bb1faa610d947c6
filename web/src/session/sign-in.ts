import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { ApiError } from '../api/errors.ts'
import { bodyOf, send } from '../api/http.ts'
import { sessionState } from '../api/session-state.ts'
import { viewerKey } from './viewer.ts'

interface Methods {
  readonly provider: { readonly name: string; readonly startUrl: string } | null
}

/** The ways to sign in that this server has. */
export const useSignInMethods = () =>
  useQuery({
    queryKey: ['sign-in-methods'],
    queryFn: async () => (await (await send('/sign-in/methods', { method: 'GET' })).json()) as Methods,
    staleTime: Infinity,
  })

export type Proof = { readonly code: string } | { readonly token: string }

/** Exchanges what the visitor has for a session; then everything is read again. */
export function useSignIn() {
  const queries = useQueryClient()
  const [error, setError] = useState<string | null>(null)
  const [isPending, setPending] = useState(false)
  const signIn = async (proof: Proof) => {
    setPending(true)
    setError(null)
    try {
      const response = await send('/sign-in', { body: proof })
      if (!response.ok) throw new ApiError((await bodyOf(response)).errors?.[0]?.message ?? '', 'REFUSED')
      sessionState.begin()
      const before = queries.getQueryData(viewerKey)
      await queries.invalidateQueries({ queryKey: viewerKey })
      // Nothing of what another person has read may stay on the page.
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(queries.getQueryData(viewerKey)))
        location.reload()
      else void queries.invalidateQueries()
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught
      setError(caught.message)
    } finally {
      setPending(false)
    }
  }
  return { signIn, error, isPending }
}

/** Ends the session, and forgets all that was read in it. */
export async function signOut(): Promise<void> {
  await send('/sign-out', {})
  location.assign('/sign-in')
}
