import * as z from 'zod'

import type { SignIns } from '../../domain/tenants/sign-ins.ts'
import { credentialIdIn, isSignedIn } from '../../graphql/kit/access.ts'
import { empty, failure, json } from '../pipeline/answer.ts'
import { readBody } from '../pipeline/body.ts'
import type { Call } from '../pipeline/call.ts'
import { parseJson } from '../graphql/params.ts'
import { refused } from '../pipeline/refusals.ts'
import type { Route } from '../pipeline/router.ts'

/** The largest body with a code, in bytes. */
const longestBody = 1000

const bodyShape = z.object({ code: z.string() })

/**
 * `POST /sign-in` exchanges the code of a sign-in link for a session's token, and `POST /sign-out` ends a session. They
 * are not GraphQL mutations, since GraphQL answers no caller before it has signed in, and since they concern only the
 * session of a page.
 */
export const signInRoutes = ({ signIns }: { readonly signIns: SignIns }): readonly Route[] => [
  {
    path: '/sign-in',
    methods: {
      POST: async (call) => {
        call.admit()
        assertOwnPage(call)
        const body = parseJson((await readBody(call.request, longestBody)).toString(), 'The body')
        const { code = '' } = bodyShape.safeParse(body).data ?? {}
        const session = await signIns.exchange(code, call.from)
        if (session) return json(200, session)
        call.noteRefused(code)
        call.countAsStranger()
        const message = 'This sign-in link was used, or is older than ten minutes: make another with `orrery sign-in`.'
        return failure(401, 'UNAUTHENTICATED', message)
      },
    },
  },
  {
    path: '/sign-out',
    methods: {
      POST: async (call) => {
        const session = await call.session()
        if (!isSignedIn(session)) {
          const headers = { 'www-authenticate': 'Bearer' }
          return failure(401, 'UNAUTHENTICATED', 'You are not signed in.', { headers })
        }
        const credentialId = credentialIdIn(session)
        if (credentialId !== null && (await signIns.signOut(credentialId, call.from))) return empty(204)
        const message = 'This credential is no session: it holds until it expires, is rotated or revoked.'
        return failure(409, 'CONFLICT', message)
      },
    },
  },
]

/**
 * Keeps a page of another origin from signing its visitor in, even if CORS lists the origin. Browsers send the source
 * of a request (Fetch metadata), old ones at least its origin; a client that sends neither is no browser.
 */
function assertOwnPage(call: Call): void {
  if (call.contentType !== 'application/json') {
    throw refused(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the code as application/json.')
  }
  const site = call.header('sec-fetch-site')
  const origin = call.header('origin')
  const isOwn = site === null ? origin === null || hostOf(origin) === call.url?.host : site === 'same-origin'
  if (!isOwn) throw refused(403, 'FORBIDDEN', 'Only this server’s own page signs anybody in.')
}

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null)
