import { GraphQLError, type ExecutionResult } from 'graphql'

import { isSignedIn } from '../../graphql/kit/access.ts'
import { describeError } from '../pipeline/describe-error.ts'
import { classify } from '../pipeline/error-codes.ts'
import { maskedMessage } from '../pipeline/failures.ts'
import type { ServerContext } from './graphql-plugin.ts'

/** Turns anything that was thrown into an error of a GraphQL result. */
export function asGraphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error
  const originalError = error instanceof Error ? error : new Error(String(error))
  return new GraphQLError(originalError.message, { originalError })
}

/** The caller of a result, and the log for its faults. */
export interface Origin {
  readonly call: Pick<ServerContext['call'], 'id' | 'log'>
  readonly session: ServerContext['session']
}

/**
 * The last step for every result: each error gets its code, internal faults are logged in full and answered masked, and
 * anonymous callers do not learn names of the schema from suggestions.
 */
export function withPresentedErrors<Result extends ExecutionResult>(result: Result, origin: Origin): Result {
  if (!result.errors) return result
  // Only if there is no data at all does the status say that the server failed.
  const failedWhole = result.data === undefined || result.data === null
  return { ...result, errors: result.errors.map((error) => present(error, origin, failedWhole)) }
}

function present(error: GraphQLError, { call, session }: Origin, failedWhole: boolean): GraphQLError {
  const verdict = classify(error)
  if (verdict.kind === 'masked') {
    call.log.error({ error: describeError(verdict.cause), path: error.path?.join('.') }, 'request failed')
    return copyOf(error, maskedMessage(call.id), {
      code: 'INTERNAL_SERVER_ERROR',
      requestId: call.id,
      http: failedWhole ? { status: 500 } : {},
    })
  }
  const message = isSignedIn(session) ? error.message : withoutSuggestions(error.message)
  return copyOf(error, message, { ...error.extensions, ...verdict.extensions })
}

/** Validation errors are cached and shared between requests: they must be copied, never changed. */
function copyOf(error: GraphQLError, message: string, extensions: Record<string, unknown>): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null } = error
  return new GraphQLError(message, { nodes, source, positions, path, extensions })
}

/** graphql-js suggests similar names: `Did you mean "tenant" or "tenants"?`. */
const withoutSuggestions = (message: string): string => message.replace(/ Did you mean .*\?/s, '')
