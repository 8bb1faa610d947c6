import { GraphQLError, type ExecutionResult } from 'graphql'

import { isSignedIn } from '../../graphql/kit/access.ts'
import { describeError } from '../pipeline/describe-error.ts'
import { classify } from '../pipeline/error-codes.ts'
import { maskedMessage } from '../pipeline/failures.ts'
import type { ServerContext } from './graphql-plugin.ts'

/** Whatever was thrown on the way to a result, as an error of one. */
export function asGraphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error
  const originalError = error instanceof Error ? error : new Error(String(error))
  return new GraphQLError(originalError.message, { originalError })
}

/** Whose result it is, and where its faults are logged. */
export interface Origin {
  readonly call: Pick<ServerContext['call'], 'id' | 'log'>
  readonly session: ServerContext['session']
}

/**
 * The last look at every result: each error gets its code, faults of ours are logged whole and answered masked, and
 * anonymous callers are told no names of the schema that they did not know.
 */
export function withPresentedErrors<Result extends ExecutionResult>(result: Result, origin: Origin): Result {
  if (!result.errors) return result
  // Where nothing at all could be answered, the status says whose fault it was.
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

/** Errors of validation are remembered and shared between requests: they are copied, never changed. */
function copyOf(error: GraphQLError, message: string, extensions: Record<string, unknown>): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null } = error
  return new GraphQLError(message, { nodes, source, positions, path, extensions })
}

/** graphql-js proposes names that come close: `Did you mean "tenant" or "tenants"?`. */
const withoutSuggestions = (message: string): string => message.replace(/ Did you mean .*\?/s, '')
