import type { Call } from './call.ts'
import { withoutSecrets } from './describe-error.ts'

interface Access {
  readonly status: number
  /** From `performance.now()`. */
  readonly start: number
}

/** Logs one line for an answered call, at level debug; never the query of the address, a header or a body. */
export async function logAccess(call: Call, { status, start }: Access): Promise<void> {
  const { log, method, path } = call
  const ms = Math.round((performance.now() - start) * 10) / 10
  const caller = await call.callerKind()
  log.debug({ method, path: path === null ? null : withoutSecrets(path), status, ms, caller }, 'request')
}
