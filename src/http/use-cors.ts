import type { Middleware } from './exchange.ts'
import { Response } from './responses.ts'

const preflight = {
  'access-control-allow-methods': 'GET, HEAD, POST',
  'access-control-allow-headers': 'authorization, content-type, if-none-match, x-orrery-csrf',
  'access-control-max-age': '600',
}

/**
 * Lets web pages of the listed origins (scheme, host and port; compared as they are) ask this server. For all others
 * the answers carry no CORS header, so that their browser keeps them from the page. There are no cookies, and hence no
 * `Access-Control-Allow-Credentials` (Fetch standard, CORS protocol).
 */
export function useCors(origins: readonly string[]): Middleware {
  if (origins.length === 0) return (next) => next
  return (next) => async (exchange) => {
    const { request } = exchange
    const origin = request.headers.get('origin')
    const allowed = origin !== null && origins.includes(origin)
    const isPreflight = request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
    const response =
      allowed && isPreflight ? new Response(null, { status: 204, headers: preflight }) : await next(exchange)
    response.headers.append('vary', 'Origin')
    if (allowed) {
      response.headers.set('access-control-allow-origin', origin)
      response.headers.set('access-control-expose-headers', 'etag, x-request-id')
    }
    return response
  }
}
