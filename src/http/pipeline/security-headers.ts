/** Headers of every answer except a 304. */
const ofAll = {
  'x-content-type-options': 'nosniff',
  // Answers contain tokens and data for one caller only; a route that allows caching sets its own header.
  'cache-control': 'no-store',
}
/** Headers of answers that a browser may show; an archive is only ever saved. */
const ofShown = {
  ...ofAll,
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  // For all answers except pages, which set their own: if a browser shows one, it may do nothing.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
const none = {}

/**
 * Headers that keep browsers from misusing an answer; headers of the route take precedence. A 304 has none: the client
 * then shows its cached answer with the headers of that answer (RFC 9110, 15.4.5).
 */
export function securityHeadersFor(status: number, contentType: string | undefined): Readonly<Record<string, string>> {
  if (status === 304) return none
  return contentType === 'application/gzip' ? ofAll : ofShown
}
