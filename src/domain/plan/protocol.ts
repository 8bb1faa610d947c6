import type { Action } from '../../nebula/action.ts'
import type { CompileNode } from '../bundles/compile/compile-input.ts'
import type { Reachability } from '../../nebula/reachability/reachability.ts'
import type { ReachabilityQuestion } from '../reachability/question.ts'
import type { ChangedNode, SharedSides } from './actions.ts'
import type { Comparison } from './compare.ts'
import type { PlanState } from './files.ts'

/** A job of the thread that plans, in parts. */
export type PlanPart =
  | { readonly kind: 'state'; readonly side: 'before' | 'after'; readonly state: Omit<PlanState, 'nodes'> }
  | { readonly kind: 'nodes'; readonly nodes: readonly CompileNode[] }
  /** Nodes of the state after the change; unchanged nodes are sent as their ids. */
  | { readonly kind: 'nodesAfter'; readonly nodes: readonly (string | CompileNode)[] }
  | { readonly kind: 'actions'; readonly shared: SharedSides; readonly nodes: readonly ChangedNode[] }
  | ({ readonly kind: 'reachability' } & ReachabilityQuestion)

/** The types that `answerJobs` and `JobThreads` need. */
export interface PlanJob {
  readonly part: PlanPart
  readonly piece: never
  readonly result: PlanResult
}

export type PlanResult =
  | { readonly kind: 'comparison'; readonly comparison: Comparison }
  | { readonly kind: 'actions'; readonly actions: readonly Action[] }
  | { readonly kind: 'reachability'; readonly reachability: Reachability }
