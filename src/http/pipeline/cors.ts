import { empty, type Answer } from './answer.ts'
import type { Call } from './call.ts'

const preflight = {
  'access-control-allow-methods': 'GET, HEAD, POST',
  'access-control-allow-headers': 'authorization, content-type, if-none-match, x-orrery-cost, x-orrery-csrf',
  'access-control-max-age': '600',
}

interface Cors {
  /** The answer to a preflight request of a listed origin; null for all other calls. */
  preflight(call: Call): Answer | null
  /** The CORS headers of an answer. */
  headers(call: Call, answer: Answer): Answer['headers']
}

const nothing = {}
const closed: Cors = { preflight: () => null, headers: () => nothing }

/**
 * Lets web pages of the listed origins (scheme, host and port; compared as texts) call this server. Answers to other
 * origins have no CORS headers that allow them, so that the browser keeps the answers from the page. The
 * cookie of a session is for this server's own page: there is no `Access-Control-Allow-Credentials`, and no other page
 * may send the header that the cookie needs (Fetch standard, CORS protocol).
 */
export function corsFor(origins: readonly string[]): Cors {
  if (origins.length === 0) return closed
  const allowedOrigin = (call: Call): string | null => {
    const origin = call.header('origin')
    return origin !== null && origins.includes(origin) ? origin : null
  }
  return {
    preflight(call) {
      const isPreflight = call.method === 'OPTIONS' && call.header('access-control-request-method') !== null
      return isPreflight && allowedOrigin(call) !== null ? empty(204, preflight) : null
    },
    headers(call, { headers: { vary: own } }) {
      // Caches must keep the answers to different origins apart.
      const vary = own === undefined ? 'Origin' : `${own}, Origin`
      const origin = allowedOrigin(call)
      if (origin === null) return { vary }
      return {
        vary,
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'etag, x-request-id',
      }
    },
  }
}
