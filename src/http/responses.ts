import * as fetchApi from '@whatwg-node/fetch'
import { GraphQLError } from 'graphql'

import { LimitError, UnavailableError } from '../base/errors.ts'

/**
 * What routes answer with: Yoga's implementation of the Fetch standard's Response. It goes to the socket without
 * passing through web streams, which costs a third of what the built-in one does.
 */
export const { Response } = fetchApi
/** The whole of it, for what Yoga makes an answer with. */
export { fetchApi }

/** A JSON document. */
export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  })

/** A failure outside of the GraphQL endpoint, in the shape that GraphQL's errors have, so that clients know one shape. */
export const failure = (
  status: number,
  code: string,
  message: string,
  { headers = {}, ...extensions }: { headers?: Record<string, string>; requestId?: string } = {},
): Response => json(status, { errors: [{ message, extensions: { code, ...extensions } }] }, headers)

/** What `refused` made, as the answer of a route beside GraphQL; null for other errors. */
export function refusalOf({ message, extensions: { code, http } }: GraphQLError): Response | null {
  const { status, headers = {} } = (http ?? {}) as { status?: number; headers?: Record<string, string> }
  return status === undefined || typeof code !== 'string' ? null : failure(status, code, message, { headers })
}

/**
 * A refusal of a GraphQL request as a whole. `spec: false` is Yoga's word for sending the status whatever media type
 * the client accepts; otherwise errors of validation come as HTTP 200 to those that accept application/json.
 */
export const refused = (
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): GraphQLError => new GraphQLError(message, { extensions: { code, http: { status, headers, spec: false } } })

/** Does what may meet a limit or be refused; the refusal is given, as GraphQL's plugins hand one on, and not thrown. */
export function orRefusal<T>(work: () => T): T | GraphQLError {
  try {
    return work()
  } catch (error) {
    if (error instanceof GraphQLError) return error
    if (!(error instanceof LimitError || error instanceof UnavailableError)) throw error
    return new GraphQLError(error.message, { originalError: error })
  }
}
