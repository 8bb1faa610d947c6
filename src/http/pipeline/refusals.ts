import { GraphQLError } from 'graphql'

import { LimitError, UnavailableError } from '../../base/errors.ts'
import { failure, type Answer } from './answer.ts'

/**
 * A refusal of a whole request, which any part of a route may throw. `spec: false` sends the status for every accepted
 * media type; without it, clients that accept application/json get validation errors with status 200.
 */
export const refused = (
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): GraphQLError => new GraphQLError(message, { extensions: { code, http: { status, headers, spec: false } } })

export const badRequest = (message: string) => refused(400, 'BAD_REQUEST', message)

/** Turns an error made by `refused` into the answer of a route other than GraphQL; null for other errors. */
export function refusalOf({ message, extensions: { code, http } }: GraphQLError): Answer | null {
  const { status, headers = {} } = (http ?? {}) as { status?: number; headers?: Record<string, string> }
  return status === undefined || typeof code !== 'string' ? null : failure(status, code, message, { headers })
}

/** Runs work that may meet a limit or be refused, and returns the refusal as an error, as GraphQL's plugins need it. */
export function orRefusal<T>(work: () => T): T | GraphQLError {
  try {
    return work()
  } catch (error) {
    if (error instanceof GraphQLError) return error
    if (!(error instanceof LimitError || error instanceof UnavailableError)) throw error
    return new GraphQLError(error.message, { originalError: error })
  }
}
