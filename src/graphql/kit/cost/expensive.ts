import { budgetOf } from '../../../auth/session.ts'
import { callerOf } from '../access.ts'
import type { Context } from '../context.ts'

/** Runs expensive work when it is the turn of the caller's tenant. */
export const expensively = <T>(context: Context, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
  context.expensive.run(budgetOf(callerOf(context)), context.left(), work)
