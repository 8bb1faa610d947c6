import { GraphQLError, type ExecutionResult } from 'graphql'

import { isSignedIn } from '../graphql/access.ts'
import { describeError } from './describe-error.ts'
import { classify } from './error-codes.ts'
import type { GraphqlPlugin, ServerContext } from './graphql-plugin.ts'
import { mapResults } from './map-results.ts'
import { maskedMessage } from './use-failures.ts'

/**
 * The last look at every result: each error gets its code, faults of ours are logged whole and answered masked, and
 * anonymous callers are told no names of the schema that they did not know.
 */
export function useErrors(): GraphqlPlugin {
  return {
    onResultProcess(payload) {
      const { result, serverContext } = payload
      const present = (one: ExecutionResult) => withPresentedErrors(one, serverContext)
      const failed = (error: unknown) => present({ errors: [asGraphqlError(error)] })
      if (Symbol.asyncIterator in result) payload.setResult(mapResults(result, present, failed))
      else if (!Array.isArray(result) && result.errors) payload.setResult(present(result))
    },
  }
}

/** What a stream failed with, as an error of its last event. */
export const asGraphqlError = (error: unknown): GraphQLError =>
  error instanceof GraphQLError ? error : new GraphQLError('A stream failed.', { originalError: error as Error })

/** Whose result it is, and where its faults are logged. */
export interface Origin {
  readonly call: Pick<ServerContext['call'], 'id' | 'log'>
  readonly session: ServerContext['session']
}

/** A result with its errors as their reader sees them; faults of ours are logged here. */
export function withPresentedErrors(result: ExecutionResult, context: Origin): ExecutionResult {
  if (!result.errors) return result
  // Where nothing at all could be answered, the status says whose fault it was.
  const failedWhole = result.data === undefined || result.data === null
  return { ...result, errors: result.errors.map((error) => present(error, context, failedWhole)) }
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

/** Errors of parsing and validation are cached and shared between requests: they are copied, never changed. */
function copyOf(error: GraphQLError, message: string, extensions: Record<string, unknown>): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null } = error
  return new GraphQLError(message, { nodes, source, positions, path, extensions })
}

/** graphql-js proposes names that come close: `Did you mean "tenant" or "tenants"?`. */
const withoutSuggestions = (message: string): string => message.replace(/ Did you mean .*\?/s, '')
