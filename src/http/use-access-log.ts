import type { Logger } from '../base/log.ts'
import type { Call } from './call.ts'
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
      const { request, url } = exchange
      await logAccess(exchange, { method: request.method, path: url.pathname, status: response.status, start })
      return response
    }
  }

interface Access {
  readonly method: string
  readonly path: string
  readonly status: number
  /** By performance.now. */
  readonly start: number
}

/** Writes the line of a call that was answered. */
export async function logAccess(call: Call, { method, path, status, start }: Access): Promise<void> {
  const ms = Math.round((performance.now() - start) * 10) / 10
  const caller = await call.callerKind()
  call.log.debug({ method, path: withoutSecrets(path), status, ms, caller }, 'request')
}
