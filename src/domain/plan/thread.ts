import { piecesOf } from '../../base/pieces.ts'
import { messageItems } from '../../base/threads/job-protocol.ts'
import { JobThreads } from '../../base/threads/job-threads.ts'
import type { Action } from '../../nebula/action.ts'
import type { Reachability } from '../../nebula/reachability/reachability.ts'
import type { ReachabilityQuestion } from '../reachability/question.ts'
import type { ChangedNode, SharedSides } from './actions.ts'
import type { Comparison } from './compare.ts'
import type { PlanState } from './files.ts'
import type { PlanJob, PlanPart } from './protocol.ts'

const threads = new JobThreads<PlanJob>('change-plan')

/** The tenant whose share of the threads is used, and the signal that aborts the work. */
export interface Asker {
  readonly owner: string
  readonly signal: AbortSignal
}

/**
 * See `compareStates`. A node that is the same object in both states is sent once.
 * @throws LimitError when the bundle would be too large; AbandonedError
 */
export async function compareInThread(asker: Asker, before: PlanState, after: PlanState): Promise<Comparison> {
  const { result } = await threads.run({ ...asker, parts: partsOf(before, after) })
  if (result.kind !== 'comparison') throw new Error('the thread gave no comparison')
  return result.comparison
}

/** See `actionsOf`: in the order of the nodes. */
export async function actionsInThread(
  asker: Asker,
  shared: SharedSides,
  nodes: readonly ChangedNode[],
): Promise<readonly Action[]> {
  const { result } = await threads.run({ ...asker, parts: [{ kind: 'actions', shared, nodes }] })
  if (result.kind !== 'actions') throw new Error('the thread gave no actions')
  return result.actions
}

/** See `answerReachability`. */
export async function reachabilityInThread(asker: Asker, question: ReachabilityQuestion): Promise<Reachability> {
  const { result } = await threads.run({ ...asker, parts: [{ kind: 'reachability', ...question }] })
  if (result.kind !== 'reachability') throw new Error('the thread gave no reachability')
  return result.reachability
}

function* partsOf(
  { nodes: before, ...old }: PlanState,
  { nodes: after, ...now }: PlanState,
): Generator<PlanPart, void> {
  yield { kind: 'state', side: 'before', state: old }
  yield { kind: 'state', side: 'after', state: now }
  for (const nodes of piecesOf(before, messageItems)) yield { kind: 'nodes', nodes }
  const kept = new Set(before)
  const references = after.map((node) => (kept.has(node) ? node.id : node))
  for (const nodes of piecesOf(references, messageItems)) yield { kind: 'nodesAfter', nodes }
}
