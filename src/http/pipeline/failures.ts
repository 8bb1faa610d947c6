import { GraphQLError } from 'graphql'

import { failure, type Answer } from './answer.ts'
import type { Call } from './call.ts'
import { describeError } from './describe-error.ts'
import { transientOf } from './error-codes.ts'
import { refusalOf } from './refusals.ts'

/** The message that callers get for an internal fault, in production and in development. */
export const maskedMessage = (requestId: string): string =>
  `Something went wrong. Whoever runs this server finds the reason in its log under request id ${requestId}.`

/** The answer to an error that a route threw. Errors that callers must not see are logged in full and masked. */
export function failed(call: Call, error: unknown): Answer {
  const transient = transientOf(error)
  if (transient && error instanceof Error) {
    return failure(transient.status, transient.code, error.message, { headers: transient.headers })
  }
  if (error instanceof GraphQLError) return refusalOf(error) ?? masked(call, error)
  return masked(call, error)
}

function masked(call: Call, error: unknown): Answer {
  call.log.error({ error: describeError(error) }, 'request failed')
  return failure(500, 'INTERNAL_SERVER_ERROR', maskedMessage(call.id), { requestId: call.id })
}
