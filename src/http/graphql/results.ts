import type { ExecutionResult, GraphQLError } from 'graphql'

import { empty, type Answer, type Frames } from '../pipeline/answer.ts'
import { completeFrame, frameOf, pingFrame } from '../live/event-frames.ts'
import type { Result } from './graphql-plugin.ts'
import { documentTypes, mediaTypeFor, streamType, type MediaType } from './media-types.ts'

const headersOf: Readonly<Record<MediaType, Answer['headers']>> = {
  'application/json': { 'content-type': 'application/json; charset=utf-8' },
  'application/graphql-response+json': { 'content-type': 'application/graphql-response+json; charset=utf-8' },
  // Proxies are asked to hand on each event as it comes.
  'text/event-stream': { 'content-type': streamType, 'cache-control': 'no-cache', 'x-accel-buffering': 'no' },
}

/**
 * A result as an answer, in the media type that the client prefers (GraphQL over HTTP).
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

/** A subscription that was let through as an answer; it ends where the client takes no stream. */
export async function answerWithStream(events: Frames, accept: string | null): Promise<Answer> {
  if (mediaTypeFor(accept, [streamType]) !== null) {
    return { status: 200, headers: headersOf[streamType], parts: events }
  }
  await events.end()
  return notAcceptable
}

const notAcceptable = empty(406, { accept: [...documentTypes, streamType].join(', ') })

/** A result's JSON. `http` and `unexpected` are words between plugins, which nobody else is told. */
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
  /** Whether the status is one that only those hear who accept application/graphql-response+json. */
  readonly spec?: boolean
}

/** The highest status that an error asks for, and the headers of all of them. */
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

/** Yoga's own errors name `Allow`. */
const lowerCased = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
