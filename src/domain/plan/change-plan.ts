import type { Scope } from '../../auth/scope.ts'
import type { Enqueue } from '../../base/limits/fair-queue.ts'
import type { Cluster } from '../../db/client/types.ts'
import type { Action } from '../../nebula/action.ts'
import { compareLines, fileDiffs, maxDiffedFiles, type FileDiff } from '../bundles/read/file-diff.ts'
import type { SharedPart } from '../bundles/compile/shared-part.ts'
import { renderInputOf } from '../publishing/publish-compile.ts'
import { sharedInForce } from '../publishing/publish.ts'
import type { Snapshot } from '../publishing/snapshot.ts'
import type { AffectedNode, Comparison } from './compare.ts'
import type { PlanState } from './files.ts'
import { actionsInThread, compareInThread } from './thread.ts'

/** The effects of a change on the nodes of its cluster. */
export interface ChangePlan {
  /** The cluster's row after the change. */
  readonly cluster: Cluster
  /** The config version after the change. */
  readonly version: number
  /** How many nodes would receive different files. */
  readonly nodeCount: number
  /** The first nodes by name, at most 500. */
  readonly nodes: (first: number) => Promise<NodePlan[]>
  /** How many files of the bundle would differ. */
  readonly fileCount: number
  /** The first files by path, at most 200. */
  readonly files: (first: number) => FileDiff[]
}

/** The effects of a change on one node. */
export interface NodePlan {
  readonly id: string
  readonly name: string
  /** The paths in the bundle of the node's files that would differ. */
  readonly files: readonly string[]
  /** The action that its Nebula would need. */
  readonly action: Action
}

/**
 * Compares the nodes' files before and after a change, in a thread.
 * @param dependencies.enqueue queues expensive work that is requested later
 * @param dependencies.signal aborts the comparison
 * @throws LimitError when the bundle would be too large; AbandonedError
 */
export async function planChange(
  scope: Scope,
  { before, after }: { readonly before: Snapshot; readonly after: Snapshot },
  { enqueue, signal }: { readonly enqueue: Enqueue; readonly signal: AbortSignal },
): Promise<ChangePlan> {
  const [old, now] = await sharedOf(scope, before, after)
  const owner = after.cluster.tenantId
  const comparison = await compareInThread({ owner, signal }, stateOf(before, old), stateOf(after, now))
  const { changes, nodeCount, texts } = comparison
  return {
    cluster: after.cluster,
    version: after.cluster.configVersion,
    nodeCount,
    nodes: (first) => nodePlans(scope, comparison, { owner, nodes: comparison.nodes.slice(0, first), enqueue }),
    fileCount: changes.length,
    files: (first) => {
      const wanted = changes.slice(0, Math.min(first, maxDiffedFiles))
      return fileDiffs(wanted, async () => {
        const diffs = await enqueue((left) => compareLines(wanted, ({ path }) => texts.get(path) ?? null, left))
        return (path) => diffs.get(path) ?? null
      })
    },
  }
}

/** The shared configurations of both states. If they are the same, the further files cannot differ and are left out. */
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
    enqueue,
  }: { readonly owner: string; readonly nodes: readonly AffectedNode[]; readonly enqueue: Enqueue },
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
  const actions = await enqueue((signal) => actionsInThread({ owner, signal }, shared, changed))
  // The thread returns one action per node, in order.
  return nodes.map(({ id, name, files }, index) => ({ id, name, files, action: actions[index] ?? 'restart' }))
}
