import type { Scope } from '../../auth/scope.ts'
import type { InTurn } from '../../base/limits/fair-queue.ts'
import type { Cluster } from '../../db/client/types.ts'
import type { Action } from '../../nebula/action.ts'
import { compareLines, fileDiffs, MAX_FILES, type FileDiff } from '../bundles/read/file-diff.ts'
import type { SharedPart } from '../bundles/compile/shared-part.ts'
import { renderInputOf } from '../publishing/publish-compile.ts'
import { sharedInForce } from '../publishing/publish.ts'
import type { Snapshot } from '../publishing/snapshot.ts'
import type { AffectedNode, Comparison } from './compare.ts'
import type { PlanState } from './files.ts'
import { actionsInThread, compareInThread } from './thread.ts'

/** What a change would do to the nodes of its cluster. */
export interface ChangePlan {
  /** The cluster's row as it would be. */
  readonly cluster: Cluster
  /** The config version that it would have. */
  readonly version: number
  /** How many nodes would be given something else. */
  readonly nodeCount: number
  /** The first of them by name, at most 500. */
  readonly nodes: (first: number) => Promise<NodePlan[]>
  /** How many files of the bundle would differ. */
  readonly fileCount: number
  /** The first of them by path, at most 200. */
  readonly files: (first: number) => FileDiff[]
}

/** What a change would do to one node. */
export interface NodePlan {
  readonly id: string
  readonly name: string
  /** The paths in the bundle that it has and that would differ. */
  readonly files: readonly string[]
  /** What its Nebula would need. */
  readonly action: Action
}

/**
 * Compares what the nodes are given before and after a change, in a thread.
 * @param means.inTurn runs what is expensive and asked for later
 * @param means.signal ends the comparison
 * @throws LimitError when the bundle would be too large; AbandonedError
 */
export async function planChange(
  scope: Scope,
  { before, after }: { readonly before: Snapshot; readonly after: Snapshot },
  { inTurn, signal }: { readonly inTurn: InTurn; readonly signal: AbortSignal },
): Promise<ChangePlan> {
  const [old, now] = await sharedOf(scope, before, after)
  const owner = after.cluster.tenantId
  const comparison = await compareInThread({ owner, signal }, stateOf(before, old), stateOf(after, now))
  const { changes, nodeCount, texts } = comparison
  return {
    cluster: after.cluster,
    version: after.cluster.configVersion,
    nodeCount,
    nodes: (first) => nodePlans(scope, comparison, { owner, nodes: comparison.nodes.slice(0, first), inTurn }),
    fileCount: changes.length,
    files: (first) => {
      const wanted = changes.slice(0, Math.min(first, MAX_FILES))
      return fileDiffs(wanted, async () => {
        const diffs = await inTurn((left) => compareLines(wanted, ({ path }) => texts.get(path) ?? null, left))
        return (path) => diffs.get(path) ?? null
      })
    },
  }
}

/** The shared configurations of both states. Where they are one, its further files cannot differ and stay out. */
async function sharedOf(
  scope: Scope,
  before: Snapshot,
  after: Snapshot,
): Promise<[SharedPart | null, SharedPart | null]> {
  const old = await sharedInForce(scope.db, before)
  if (before.cluster.sharedConfigVersion !== after.cluster.sharedConfigVersion) {
    return [old, await sharedInForce(scope.db, after)]
  }
  const both = old && { 'config.yml': old['config.yml'], further: [] }
  return [both, both]
}

const stateOf = (snapshot: Snapshot, shared: SharedPart | null): PlanState => ({
  ...renderInputOf(snapshot, shared),
  signingCa: snapshot.cluster.pkiCaCert,
})

async function nodePlans(
  scope: Scope,
  { shared }: Comparison,
  {
    owner,
    nodes,
    inTurn,
  }: { readonly owner: string; readonly nodes: readonly AffectedNode[]; readonly inTurn: InTurn },
): Promise<NodePlan[]> {
  if (nodes.length === 0) return []
  const rows = await scope.db.node.findMany({
    where: { id: { in: nodes.map(({ id }) => id) } },
    select: { id: true, nebulaVersion: true },
  })
  const versions = new Map(rows.map(({ id, nebulaVersion }) => [id, nebulaVersion]))
  const changed = nodes.map(({ id, before, after, signing }) => {
    return { before, after, signing, nebulaVersion: versions.get(id) ?? null }
  })
  const actions = await inTurn((signal) => actionsInThread({ owner, signal }, shared, changed))
  // The thread answers for each of them.
  return nodes.map(({ id, name, files }, index) => ({ id, name, files, action: actions[index] ?? 'restart' }))
}
