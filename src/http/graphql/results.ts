import type { ExecutionResult, GraphQLError } from 'graphql'

import { empty, type Answer, type Frames } from '../pipeline/answer.ts'
import { completeFrame, frameOf, pingFrame } from '../live/event-frames.ts'
import type { Result } from './graphql-plugin.ts'
import { documentTypes, mediaTypeFor, streamType, type MediaType } from './media-types.ts'

const headersOf: Readonly<Record<MediaType, Answer['headers']>> = {
  'application/json': { 'content-type': 'application/json; charset=utf-8' },
  'application/graphql-response+json': { 'content-type': 'application/graphql-response+json; charset=utf-8' },
  // Asks proxies to pass on each event at once.
  'text/event-stream': { 'content-type': streamType, 'cache-control': 'no-cache', 'x-accel-buffering': 'no' },
}

/**
 * Turns a result into an answer, in the media type that the client prefers (GraphQL over HTTP).
 * @param accept the header; null where there is none
 */
export function answerWith(result: Result, accept: string | null): Answer {
  const type = mediaTypeFor(accept, documentTypes) ?? mediaTypeFor(accept, [streamType])
  if (type === null) return notAcceptable
  const { status, headers } = statusOf(result, type)
  const text = result.stringify?.() ?? textOf(result)
  const parts = type === streamType ? [pingFrame, frameOf(text), completeFrame] : [text]
  return { status, headers: headers ? { ...headersOf[type], ...headers } : headersOf[type], parts }
}

/** Turns an admitted subscription into an answer; ends it when the client accepts no stream. */
export async function answerWithStream(events: Frames, accept: string | null): Promise<Answer> {
  if (mediaTypeFor(accept, [streamType]) !== null) {
    return { status: 200, headers: headersOf[streamType], parts: events }
  }
  await events.end()
  return notAcceptable
}

const notAcceptable = empty(406, { accept: [...documentTypes, streamType].join(', ') })

/** A result's JSON, without the extensions `http` and `unexpected`, which are only meant for plugins. */
export function textOf(result: ExecutionResult): string {
  const { errors } = result
  return JSON.stringify(errors ? { ...result, errors: errors.map(withoutInternals) } : result)
}

function withoutInternals(error: GraphQLError) {
  const told = Object.entries(error.extensions).filter(([name]) => name !== 'http' && name !== 'unexpected')
  return { ...error.toJSON(), extensions: told.length > 0 ? Object.fromEntries(told) : undefined }
}

interface Http {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Whether the status is sent only to clients that accept application/graphql-response+json. */
  readonly spec?: boolean
}

/** The highest status of all errors, and the headers of all errors. */
function statusOf({ errors = [] }: Result, type: MediaType): { status: number; headers: Http['headers'] } {
  let status = 0
  let headers: Http['headers']
  for (const { extensions } of errors) {
    const http = extensions.http as Http | undefined
    if (http?.headers) headers = { ...headers, ...lowerCased(http.headers) }
    if (http?.spec === true && type !== 'application/graphql-response+json') continue
    status = Math.max(status, http?.status ?? 0)
  }
  return { status: status || 200, headers }
}

/** Yoga's own errors write header names such as `Allow` in mixed case. */
const lowerCased = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
