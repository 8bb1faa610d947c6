import type { Call } from './call.ts'
import { describeError } from './describe-error.ts'
import type { Middleware } from './exchange.ts'
import { failure } from './responses.ts'

/** What callers are told of a fault of ours, in production and in development alike. */
export const maskedMessage = (requestId: string): string =>
  `Something went wrong. Whoever runs this server finds the reason in its log under request id ${requestId}.`

/** Whatever is thrown outside of GraphQL's execution is logged whole and answered masked. */
export const useFailures: Middleware = (next) => async (exchange) => {
  try {
    return await next(exchange)
  } catch (error) {
    return masked(exchange, error)
  }
}

/** Logs a fault of ours and makes the answer that says so. */
export function masked(call: Call, error: unknown): Response {
  call.log.error({ error: describeError(error) }, 'request failed')
  return failure(500, 'INTERNAL_SERVER_ERROR', maskedMessage(call.id), { requestId: call.id })
}
