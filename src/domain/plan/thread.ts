import { JobThread } from '../../base/job-thread.ts'
import type { Action } from '../../nebula/action.ts'
import { inPieces } from '../bundle/compile-protocol.ts'
import type { ChangedNode, SharedSides } from './actions.ts'
import type { Comparison } from './compare.ts'
import type { PlanState } from './files.ts'
import type { PlanJob, PlanPart } from './protocol.ts'

/** The program's one thread for it: a large cluster takes a second, in which the program would answer nobody. */
const thread = new JobThread<PlanJob>('domain/plan/worker', 'change-plan')

/**
 * See `compareStates`. Nodes that both states have as the same object are sent once.
 * @throws LimitError when the bundle would be too large; what the signal was aborted with
 */
export async function compareInThread(before: PlanState, after: PlanState, signal: AbortSignal): Promise<Comparison> {
  const result = await thread.run(partsOf(before, after), signal)
  if (result.kind !== 'comparison') throw new Error('the thread gave no comparison')
  return result.comparison
}

/** See `actionsOf`: in the order of the nodes. */
export async function actionsInThread(
  shared: SharedSides,
  nodes: readonly ChangedNode[],
  signal: AbortSignal,
): Promise<readonly Action[]> {
  const result = await thread.run([{ kind: 'actions', shared, nodes }], signal)
  if (result.kind !== 'actions') throw new Error('the thread gave no actions')
  return result.actions
}

function* partsOf(
  { nodes: before, ...old }: PlanState,
  { nodes: after, ...now }: PlanState,
): Generator<PlanPart, void> {
  yield { kind: 'state', side: 'before', state: old }
  yield { kind: 'state', side: 'after', state: now }
  for (const nodes of inPieces(before)) yield { kind: 'nodes', nodes }
  const kept = new Set(before)
  const references = after.map((node) => (kept.has(node) ? node.id : node))
  for (const nodes of inPieces(references)) yield { kind: 'nodesAfter', nodes }
}
