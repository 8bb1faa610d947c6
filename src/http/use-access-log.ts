import type { Logger } from '../base/log.ts'
import { withoutSecrets } from './describe-error.ts'
import type { Middleware } from './exchange.ts'

/** One line a request, at level debug: never the query of the address, a header or a body. */
export const useAccessLog =
  (log: Logger): Middleware =>
  (next) => {
    if (!log.isLevelEnabled('debug')) return next
    return async (exchange) => {
      const start = performance.now()
      const response = await next(exchange)
      const { request, url, callerKind: caller } = exchange
      const { method } = request
      const ms = Math.round((performance.now() - start) * 10) / 10
      exchange.log.debug({ method, path: withoutSecrets(url.pathname), status: response.status, ms, caller }, 'request')
      return response
    }
  }
