import type { Incoming } from './incoming.ts'

/** Only the page that this server serves sends it, with each request: the value is `web`. */
export const clientHeader = 'x-orrery-client'
const pageClient = 'web'

/** Browsers keep a cookie of this prefix only from https, for this very host and all its paths (RFC 6265bis, 4.1.3.2). */
const secureName = '__Host-orrery-session'
/** Over plain http, on the machine itself only: some browsers keep no secure cookie there. */
const plainName = 'orrery-session'

const valueOf = {
  [secureName]: /(?:^|;\s*)__Host-orrery-session=(ors_[\w-]{43})(?:;|$)/,
  [plainName]: /(?:^|;\s*)orrery-session=(ors_[\w-]{43})(?:;|$)/,
}

/** The name of the cookie, which says over which kind of connection it was given. */
export type CookieName = keyof typeof valueOf

type Headers = Incoming['headers']

/** Whether the request says that it comes from the page. A page of another origin cannot say so (Fetch: CORS preflight). */
export const saysPage = (headers: Headers): boolean => headers[clientHeader] === pageClient

/**
 * What a request shows of its caller: the `Authorization` header, otherwise the cookie of a session. A cookie counts
 * only together with the page's header, and only if the browser, where it tells, names this server's own page as the
 * source: another site can make a visitor's browser send the cookie, but neither of these.
 */
export function credentialIn(headers: Headers): string | null {
  const { authorization, cookie } = headers
  if (authorization !== undefined || cookie === undefined) return authorization ?? null
  if (!saysPage(headers) || (headers['sec-fetch-site'] ?? 'same-origin') !== 'same-origin') return null
  const token = valueOf[secureName].exec(cookie)?.[1] ?? (isOnLoopback(headers.host) ? plainIn(cookie) : null)
  return token === null ? null : `Bearer ${token}`
}

const plainIn = (cookie: string): string | null => valueOf[plainName].exec(cookie)?.[1] ?? null

/**
 * Which cookie the page's browser will keep; null for a page that came over plain http from another machine. Browsers
 * send the page's origin with a POST; what sends none is judged by the host that it asks.
 */
export function cookieNameFor({ origin, host }: Pick<Headers, 'origin' | 'host'>): CookieName | null {
  if (origin === undefined || !URL.canParse(origin)) return isOnLoopback(host) ? plainName : secureName
  const page = new URL(origin)
  if (page.protocol === 'https:') return secureName
  return isOnLoopback(page.host) ? plainName : null
}

const loopback = /^(localhost|[\w-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

const isOnLoopback = (host: string | undefined): boolean => host !== undefined && loopback.test(host)

/** `Set-Cookie` for a new session. @param seconds until the session ends in any case */
export const givenCookie = (name: CookieName, token: string, seconds: number): string =>
  `${name}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secureOf(name)}`

/** `Set-Cookie` that makes the browser forget the session. */
export const takenCookie = (name: CookieName): string =>
  `${name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${secureOf(name)}`

const secureOf = (name: CookieName): string => (name === secureName ? '; Secure' : '')
