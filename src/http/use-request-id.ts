import type { Middleware } from './exchange.ts'

/** Every answer names its request, so that a caller's report leads to the log. */
export const useRequestId: Middleware = (next) => async (exchange) => {
  const response = await next(exchange)
  response.headers.set('x-request-id', exchange.id)
  return response
}
