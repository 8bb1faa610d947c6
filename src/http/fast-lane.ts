import type { IncomingMessage, ServerResponse } from 'node:http'

import { Call, type CallMeans } from './call.ts'
import { describeError } from './describe-error.ts'
import { logAccess } from './use-access-log.ts'
import { failed } from './use-failures.ts'
import { withSecurityHeaders } from './use-security-headers.ts'

/** What a call is answered with: the same as the whole application would, but for the request id. */
export interface FastAnswer {
  readonly status: number
  /** Names and values in turn: those that all such answers have, then those of this one. */
  readonly head: readonly string[]
  readonly own: readonly string[]
  /** Sent one after the other; their length is in the headers. */
  readonly parts: readonly (string | Uint8Array)[]
}

/** What is asked of a fast route. */
export interface FastCall {
  readonly request: IncomingMessage
  readonly call: Call
}

/**
 * A route's shortest way for its plainest requests, which are most of them.
 * `null` of `answer` leaves the request to the whole application, as long as nothing was changed.
 */
export interface FastRoute {
  /** Whether a request is plain enough; it has read nothing of the body yet. */
  takes(request: IncomingMessage): boolean
  /** With `body`, the body is read first, up to the length that the request announced. */
  readonly body: boolean
  answer(call: FastCall, body: Buffer<ArrayBuffer>): Promise<FastAnswer | Response | null>
}

/** How many requests were answered on each of the two ways; one that is handed over counts for the usual one alone. */
export interface Served {
  short: number
  usual: number
}

interface Means extends CallMeans {
  readonly served: Served
  readonly corsOrigins: readonly string[]
  /** Whether the server is going away, so that connections end with their answer. */
  readonly isStopping: () => boolean
  /** Answers a request by the whole application; the body was read. */
  readonly handOver: (asked: FastCall, response: ServerResponse, body: Buffer<ArrayBuffer>) => Promise<void>
}

const noBody = Buffer.alloc(0)

/**
 * Serves plain requests on node:http itself, without a Fetch standard's Request and Response, which cost several times
 * what their answer costs. Whatever is not plain takes the usual way, with the same answers
 * (test/http-lanes.test.ts asks both).
 * @returns whether it took the request
 */
export function fastLane(routes: readonly FastRoute[], means: Means) {
  const hasOrigins = means.corsOrigins.length > 0
  const isLogged = means.log.isLevelEnabled('debug')

  const serve = async (route: FastRoute, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const start = isLogged ? performance.now() : 0
    const call = new Call(means.strangers.callerOf(request), means)
    response.once('close', () => {
      if (!response.writableFinished) call.leave()
    })
    const body = route.body ? await readAnnounced(request) : noBody
    // The client went away; nobody reads an answer.
    if (body === null) return
    let answer: FastAnswer | Response | null
    try {
      answer = await route.answer({ request, call }, body)
    } catch (error) {
      answer = failed(call, error)
    }
    if (answer === null) {
      if (means.isStopping()) response.setHeader('connection', 'close')
      return means.handOver({ request, call }, response, body)
    }
    means.served.short += 1
    const plain = 'parts' in answer ? answer : await plainly(answer)
    const headers = plain.head.concat(plain.own, 'x-request-id', call.id)
    if (hasOrigins) varyByOrigin(headers)
    if (means.isStopping()) headers.push('connection', 'close')
    send(response, plain, headers)
    if (isLogged) {
      const { method = '', url = '' } = request
      await logAccess(call, { method, path: url, status: plain.status, start })
    }
  }
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    // Pages of other origins are told more (use-cors.ts).
    if (request.headers.origin !== undefined) return false
    const route = routes.find((one) => one.takes(request))
    if (!route) return false
    serve(route, request, response).catch((error: unknown) => {
      means.log.error({ error: describeError(error) }, 'an answer could not be sent')
      response.destroy()
    })
    return true
  }
}

function send(response: ServerResponse, { status, parts }: FastAnswer, headers: string[]): void {
  response.writeHead(status, headers)
  for (let at = 0; at < parts.length - 1; at += 1) response.write(parts[at])
  response.end(parts.at(-1))
}

/** Where some origins may read answers, caches must keep those apart (use-cors.ts). */
function varyByOrigin(headers: string[]): void {
  const at = headers.indexOf('vary')
  if (at === -1) headers.push('vary', 'Origin')
  else headers[at + 1] = `${headers[at + 1]}, Origin`
}

async function plainly(response: Response): Promise<FastAnswer> {
  const text = await response.text()
  const headers = { ...Object.fromEntries(response.headers), 'content-length': String(Buffer.byteLength(text)) }
  return { status: response.status, head: withSecurityHeaders(headers), own: [], parts: [text] }
}

/** The whole body; null when the client left before its end. */
function readAnnounced(request: IncomingMessage): Promise<Buffer<ArrayBuffer> | null> {
  return new Promise((resolve) => {
    const chunks: Buffer<ArrayBuffer>[] = []
    const left = () => resolve(null)
    request.on('data', (chunk: Buffer<ArrayBuffer>) => chunks.push(chunk))
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    // After the end it says no more than that the request is over.
    request.on('close', left)
    request.on('error', left)
  })
}
