import { callerOf } from './access.ts'
import type { Context } from './context.ts'

/** Whose share of a budget a call takes: its tenant's, or that of the operators together. */
export const ownerOf = (context: Context): string => callerOf(context).scope.tenantId ?? 'operators'

/** Runs expensive work in the share of whose it is: a tenant's, or that of the operators together. */
export const expensively = <T>(context: Context, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
  context.expensive.run(ownerOf(context), context.left(), work)
