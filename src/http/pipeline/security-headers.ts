/** Of every answer that has a body. */
const ofAll = {
  'x-content-type-options': 'nosniff',
  // Answers hold tokens and what only one caller may see; a route that wants to be cached says so itself.
  'cache-control': 'no-store',
}
/** Of those that a browser may show; an archive is only ever saved. */
const ofShown = {
  ...ofAll,
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  // For everything that is no page: should a browser show it, it may do nothing. Pages bring their own.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
const none = {}

/**
 * Headers that keep browsers from making more of an answer than it is; those that a route set itself stand. A 304 goes
 * without: what is shown then is the answer that the client has, with the headers it came with (RFC 9110, 15.4.5).
 */
export function securityHeadersFor(status: number, contentType: string | undefined): Readonly<Record<string, string>> {
  if (status === 304) return none
  return contentType === 'application/gzip' ? ofAll : ofShown
}
