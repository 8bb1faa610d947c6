import type { Logger } from '../../base/log.ts'
import type { Answer, FinishedAnswer } from './answer.ts'
import type { Call } from './call.ts'
import { corsFor } from './cors.ts'
import { withoutSecrets } from './describe-error.ts'
import { failed } from './failures.ts'
import { securityHeadersFor } from './security-headers.ts'

interface Dependencies {
  readonly log: Logger
  readonly corsOrigins: readonly string[]
  /** Finds the route of a call and lets it answer. */
  readonly route: (call: Call) => Answer | Promise<Answer>
}

/**
 * The only way of a call through the application. Its route answers it, and the steps for every answer follow here:
 * mask faults; add CORS and security headers, the request's id and the length; write the access log.
 * @returns a function that never rejects
 */
export function pipeline({ log, corsOrigins, route }: Dependencies): (call: Call) => Promise<FinishedAnswer> {
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
 * Adds the headers to an answer; headers of the route take precedence, except over CORS headers. Every answer has the
 * id of its request, by which a caller's report can be found in the log. An answer to HEAD has the length of the answer
 * to GET (RFC 9110, 9.3.2).
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

interface Access {
  readonly status: number
  /** From `performance.now()`. */
  readonly start: number
}

/** Logs one line for an answered call, at level debug; never the query of the address, a header or a body. */
async function logAccess(call: Call, { status, start }: Access): Promise<void> {
  const { log, method, path } = call
  const ms = Math.round((performance.now() - start) * 10) / 10
  const caller = await call.callerKind()
  log.debug({ method, path: path === null ? null : withoutSecrets(path), status, ms, caller }, 'request')
}
