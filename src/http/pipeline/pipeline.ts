import type { Logger } from '../../base/log.ts'
import { logAccess } from './access-log.ts'
import type { Answer, FinishedAnswer } from './answer.ts'
import type { Call } from './call.ts'
import { corsFor } from './cors.ts'
import { failed } from './failures.ts'
import { securityHeadersFor } from './security-headers.ts'

interface Means {
  readonly log: Logger
  readonly corsOrigins: readonly string[]
  /** Finds the route of a call and has it answer. */
  readonly route: (call: Call) => Answer | Promise<Answer>
}

/**
 * The one way of a call through the application: its route answers it, and what holds for every answer is done here, in
 * this order: faults are masked; CORS, security headers, the request's id and the length; the access log.
 * @returns never rejects
 */
export function pipeline({ log, corsOrigins, route }: Means): (call: Call) => Promise<FinishedAnswer> {
  const cors = corsFor(corsOrigins)
  const isLogged = log.isLevelEnabled('debug')
  return async (call) => {
    const start = isLogged ? performance.now() : 0
    let answer: Answer
    try {
      answer = cors.preflight(call) ?? (await route(call))
    } catch (error) {
      answer = failed(call, error)
    }
    const finished = finish(call, answer, cors.headers(call, answer))
    if (isLogged) await logAccess(call, { status: answer.status, start })
    return finished
  }
}

/**
 * The answer with all of its headers; those that a route set itself stand, but for CORS. Every answer names its request,
 * so that a caller's report leads to the log. One to HEAD has the length that the one to GET has (RFC 9110, 9.3.2).
 */
function finish(call: Call, { status, headers, parts }: Answer, ofCors: Answer['headers']): FinishedAnswer {
  const head: string[] = []
  for (const name in headers) if (ofCors[name] === undefined) head.push(name, headers[name] ?? '')
  for (const name in ofCors) head.push(name, ofCors[name] ?? '')
  const ofSecurity = securityHeadersFor(status, headers['content-type'])
  for (const name in ofSecurity) if (headers[name] === undefined) head.push(name, ofSecurity[name] ?? '')
  head.push('x-request-id', call.id)
  const length = 'next' in parts ? null : lengthOf(parts)
  if (length !== null && status !== 204 && status !== 304 && headers['content-length'] === undefined) {
    head.push('content-length', String(length))
  }
  if (call.method !== 'HEAD') return { status, head, parts, length }
  if ('next' in parts) void parts.end()
  return { status, head, parts: [], length: 0 }
}

/** In bytes. */
function lengthOf(parts: readonly (string | Uint8Array)[]): number {
  let sum = 0
  for (const part of parts) sum += typeof part === 'string' ? Buffer.byteLength(part) : part.byteLength
  return sum
}
