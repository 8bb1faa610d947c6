import * as z from 'zod'

import type { SignIns } from '../../domain/tenants/sign-ins.ts'
import { credentialIdIn, isSignedIn } from '../../graphql/kit/access.ts'
import { empty, failure, json } from '../pipeline/answer.ts'
import { readBody } from '../pipeline/body.ts'
import type { Call } from '../pipeline/call.ts'
import { parseJson } from '../graphql/params.ts'
import { refused } from '../pipeline/refusals.ts'
import type { Route } from '../pipeline/router.ts'
import { clientHeader, cookieNameFor, givenCookie, saysPage, takenCookie } from '../pipeline/session-cookie.ts'

/** The largest body with a code or a token, in bytes. */
const longestBody = 1000

/** The code of a sign-in link, or an access token. */
const bodyShape = z.union([z.object({ code: z.string() }), z.object({ token: z.string() })])

/** How people sign in, for the page: neither is a secret. */
const methods = { link: true, token: true, provider: null }

/**
 * `POST /sign-in` exchanges the code of a sign-in link or an access token for a session, whose token the page's browser
 * keeps as a cookie that no script reads; `POST /sign-out` ends it. They are not GraphQL mutations, since GraphQL
 * answers no caller before it has signed in, and since they concern only the session of a page.
 */
export const signInRoutes = ({ signIns }: { readonly signIns: SignIns }): readonly Route[] => [
  { path: '/sign-in/methods', methods: { GET: () => json(200, methods) } },
  {
    path: '/sign-in',
    methods: {
      POST: async (call) => {
        call.admit()
        assertOwnPage(call)
        const cookie = cookieNameOf(call)
        const body = parseJson((await readBody(call.request, longestBody)).toString(), 'The body')
        const given = bodyShape.safeParse(body).data
        const secret = given === undefined ? '' : 'code' in given ? given.code : given.token
        const session = await signIns.exchange(secret, call.from)
        if (session) {
          const { token, expiresAt, seconds } = session
          return json(200, { expiresAt }, { 'set-cookie': givenCookie(cookie, token, seconds) })
        }
        call.noteRefused(secret)
        call.countAsStranger()
        return failure(401, 'UNAUTHENTICATED', given !== undefined && 'token' in given ? noToken : noLink)
      },
    },
  },
  {
    path: '/sign-out',
    methods: {
      POST: async (call) => {
        assertOwnPage(call)
        const taken = { 'set-cookie': takenCookie(cookieNameOf(call)) }
        const session = await call.session()
        if (!isSignedIn(session)) {
          const headers = { 'www-authenticate': 'Bearer', ...taken }
          return failure(401, 'UNAUTHENTICATED', 'You are not signed in.', { headers })
        }
        const credentialId = credentialIdIn(session)
        if (credentialId !== null && (await signIns.signOut(credentialId, call.from))) return empty(204, taken)
        const message = 'This credential is no session: it holds until it expires, is rotated or revoked.'
        return failure(409, 'CONFLICT', message)
      },
    },
  },
]

const noLink = 'This sign-in link was used, or is older than ten minutes: make another with `orrery sign-in`.'
const noToken = 'This is no access token, or it has expired or was revoked.'

/**
 * Keeps a page of another origin from signing its visitor in or out, even if CORS lists the origin: it cannot send the
 * page's header. Browsers besides send the source of a request (Fetch metadata), old ones at least its origin; a client
 * that sends neither is no browser.
 */
function assertOwnPage(call: Call): void {
  const { headers } = call.request
  if (!saysPage(headers)) {
    throw refused(403, 'CSRF_HEADER_MISSING', `This request needs the header ${clientHeader}: web.`)
  }
  const site = call.header('sec-fetch-site')
  const origin = call.header('origin')
  const isOwn = site === null ? origin === null || hostOf(origin) === call.url?.host : site === 'same-origin'
  if (!isOwn) throw refused(403, 'FORBIDDEN', 'Only this server’s own page signs anybody in or out.')
  if (call.path === '/sign-in' && call.contentType !== 'application/json') {
    throw refused(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the code or the token as application/json.')
  }
}

function cookieNameOf(call: Call) {
  const name = cookieNameFor(call.request.headers)
  if (name !== null) return name
  const message =
    'Browsers keep a session only over https, or on the machine itself: open this page through a proxy with TLS, or as http://127.0.0.1.'
  throw refused(403, 'FORBIDDEN', message)
}

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null)
