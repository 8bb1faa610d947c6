import type { Incoming } from './incoming.ts'

/** A path without a query that the URL standard leaves unchanged, as for most requests. */
const plainPath = /^\/[\w/-]*$/
const plainHost = /^[a-z\d][a-z\d.-]*(?::\d{1,5})?$/i

/** The path of a request by the URL standard; null if the address or the Host header is malformed. */
export function pathOf(request: Incoming): string | null {
  const { url = '', headers } = request
  if (plainPath.test(url) && plainHost.test(headers.host ?? 'localhost')) return url
  return urlOf(request)?.pathname ?? null
}

/** The whole address of a request; null if it is malformed. */
export function urlOf({ url = '', headers }: Incoming): URL | null {
  // A client that takes this server for a proxy sends the whole address (RFC 9112, 3.2.2).
  const text = /^https?:\/\//i.test(url) ? url : `http://${headers.host ?? 'localhost'}${url}`
  return URL.canParse(text) ? new URL(text) : null
}
