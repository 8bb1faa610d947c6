import { randomBytes } from 'node:crypto'

import { wantsPage } from '../graphiql/graphiql.ts'
import { empty, type Answer } from '../pipeline/answer.ts'
import type { Call } from '../pipeline/call.ts'
import type { Otherwise } from '../pipeline/router.ts'
import { accepts } from './accepts.ts'
import { codingNames, type PageFile, type PageFiles } from './page-files.ts'

/** Below it, names contain the hash of what they name. */
const assets = '/assets/'

/** What the build writes where the nonce of an answer belongs. */
const placeholder = '__CSP_NONCE__'

/**
 * The admin page. A browser gets it at `/` and at every address that no route takes, since the page itself knows its
 * views; its files are served to everybody, and what is not among them is not found.
 */
export function adminPage(page: PageFiles | null): Otherwise {
  const pieces = page?.index.split(placeholder) ?? null
  return (call) => {
    const { path, method } = call
    if (path === null || (method !== 'GET' && method !== 'HEAD')) return null
    const file = page?.files.get(path)
    if (file) return fileAnswer(call, file, path.startsWith(assets))
    if (path.startsWith(assets)) return null
    const isWanted = wantsPage(call)
    if (!pieces) return isWanted ? notBuilt : null
    return isWanted || path === '/' ? indexAnswer(pieces) : null
  }
}

const html = 'text/html; charset=utf-8'

function indexAnswer(pieces: readonly string[]): Answer {
  const nonce = randomBytes(16).toString('base64')
  return {
    status: 200,
    headers: { 'content-type': html, 'cache-control': 'no-store', 'content-security-policy': policyWith(nonce) },
    parts: [pieces.join(nonce)],
  }
}

/** The style elements that libraries make need the nonce; scripts come from files only. */
const policyWith = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')

/** A worker has the policy of its own file, and asks this server as the page does. */
const filePolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

function fileAnswer(call: Call, { type, etag, plain, coded }: PageFile, isHashed: boolean): Answer {
  const caching = isHashed ? 'public, max-age=31536000, immutable' : 'no-cache'
  const headers = { 'cache-control': caching, etag, vary: 'accept-encoding' }
  if (call.header('if-none-match') === etag) return empty(304, headers)
  const described = { ...headers, 'content-type': type, 'content-security-policy': filePolicy }
  const asked = call.header('accept-encoding')
  for (const coding of codingNames) {
    const bytes = coded.get(coding)
    if (bytes && accepts(asked, coding)) {
      return { status: 200, headers: { ...described, 'content-encoding': coding }, parts: [bytes] }
    }
  }
  return { status: 200, headers: described, parts: [plain] }
}

const notBuilt: Answer = {
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  parts: ['The admin page of this Orrery was not built. The API is at /graphql, and GraphiQL too.\n'],
}
