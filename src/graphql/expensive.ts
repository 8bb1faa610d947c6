import { callerOf } from './access.ts'
import type { Context } from './context.ts'

/** Runs expensive work in the share of whose it is: a tenant's, or that of the operators together. */
export const expensively = <T>(context: Context, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
  context.expensive.run(callerOf(context).scope.tenantId ?? 'operators', context.left(), work)
