import { GraphQLError } from 'graphql'

import { LimitError, UnavailableError } from '../../base/errors.ts'
import { failure, type Answer } from './answer.ts'

/**
 * A refusal of a request as a whole, which any part of a route may throw. `spec: false` sends the status whatever media
 * type the client accepts; otherwise errors of validation come as HTTP 200 to those that accept application/json.
 */
export const refused = (
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): GraphQLError => new GraphQLError(message, { extensions: { code, http: { status, headers, spec: false } } })

export const badRequest = (message: string) => refused(400, 'BAD_REQUEST', message)

/** What `refused` made, as the answer of a route beside GraphQL; null for other errors. */
export function refusalOf({ message, extensions: { code, http } }: GraphQLError): Answer | null {
  const { status, headers = {} } = (http ?? {}) as { status?: number; headers?: Record<string, string> }
  return status === undefined || typeof code !== 'string' ? null : failure(status, code, message, { headers })
}

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
