import type { Middleware } from './exchange.ts'

export const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  // For everything that is no page: should a browser show it, it may do nothing. Pages bring their own.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  // Answers hold tokens and what only one caller may see; a route that wants to be cached says so itself.
  'cache-control': 'no-store',
}
const headers = Object.entries(securityHeaders)

/** Headers that keep browsers from making more of an answer than it is; those that a route set itself stand. */
export const useSecurityHeaders: Middleware = (next) => async (exchange) => {
  const response = await next(exchange)
  for (const [name, value] of headers) {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  return response
}
