import { withoutSecrets } from './describe-error.ts'
import type { Middleware } from './exchange.ts'

/** One line a request at level debug: never the query of the address, a header or a body. */
export const useAccessLog: Middleware = (next) => async (exchange) => {
  const start = performance.now()
  const response = await next(exchange)
  if (exchange.log.isLevelEnabled('debug')) {
    const { request, url, callerKind } = exchange
    exchange.log.debug(
      {
        method: request.method,
        path: withoutSecrets(url.pathname),
        status: response.status,
        ms: Math.round((performance.now() - start) * 10) / 10,
        caller: callerKind,
      },
      'request',
    )
  }
  return response
}
