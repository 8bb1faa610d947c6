import { NotFoundError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster, Prisma, Tx } from '../../db/client/types.ts'
import { assertKeysOpen } from '../pki/closed-keys.ts'
import { assertExpected } from './expected-version.ts'
import { withPending } from './pending-changes.ts'

/** A cluster in the middle of a change: its row with the raised version, and the transaction of the change. */
export interface Change {
  readonly tx: Tx
  readonly cluster: Cluster
  /** Adds columns of the cluster to the change; they are written once, when the work is done. */
  readonly set: (data: Columns) => void
}

/** What the change is, for the message of the next bundle; a function if the work decides on it. */
export type Summary = string | (() => string)

/**
 * Changes what the nodes of a cluster must run. The version is raised first, in the same transaction. That locks the
 * cluster's row, so changes of one cluster run one after another, each rule is checked against the result of the
 * previous change, and no version is used twice. If `work` throws a refusal, the version is rolled back, too. The
 * summary and the caller are stored for the next bundle's message; the publisher is notified after the commit.
 * @param nodeId the changed node, if the change is of a node
 * @throws NotFoundError when the cluster does not exist or is not in the scope; ConflictError when it is no longer at
 * the version that the caller saw; ClosedKeysError when the result could not be published
 */
export const changeCluster = async <T>(
  scope: Scope,
  clusterId: string,
  summary: Summary,
  work: (change: Change) => Promise<T>,
  nodeId: string | null = null,
): Promise<T> => (await change(scope, clusterId, { summary, work, nodeId })).result

/** The same for a caller that shows the cluster as it is after the change. */
export const changeAndShowCluster = <T>(
  scope: Scope,
  clusterId: string,
  summary: Summary,
  work: (change: Change) => Promise<T>,
): Promise<{ result: T; cluster: Cluster }> => change(scope, clusterId, { summary, work, nodeId: null })

/** The columns that a change sets, or a function that decides on them under the lock and may refuse the change. */
type Columns = Prisma.ClusterUncheckedUpdateManyInput
type RowChange = Columns | ((change: Change) => Columns | Promise<Columns>)

/** The same for a change of the cluster's own row, which it returns as it is after the change. */
export const updateCluster = (scope: Scope, id: string, summary: Summary, columns: RowChange): Promise<Cluster> =>
  changeRow(scope, id, { summary, columns, isRepair: false })

/** `updateCluster` that gives a cluster keys that open: it is allowed while the current keys do not. */
export const repairCluster = (scope: Scope, id: string, summary: Summary, columns: RowChange): Promise<Cluster> =>
  changeRow(scope, id, { summary, columns, isRepair: true })

async function changeRow(
  scope: Scope,
  clusterId: string,
  { summary, columns, isRepair }: { summary: Summary; columns: RowChange; isRepair: boolean },
): Promise<Cluster> {
  const work = async (change: Change) => change.set(typeof columns === 'function' ? await columns(change) : columns)
  return (await change(scope, clusterId, { summary, work, nodeId: null, isRepair })).cluster
}

/**
 * Works while the cluster is locked against changes, without a new version.
 * @param missing the subject of the NotFoundError when the cluster does not exist or is not in the scope
 * @throws NotFoundError; ConflictError when the cluster is no longer at the version that the caller saw
 */
export const withClusterLocked = <T>(
  scope: Scope,
  id: string,
  missing: string,
  work: (tx: Tx, cluster: Cluster) => Promise<T>,
): Promise<T> =>
  scope.db.$transaction(async (tx) => {
    const data = { configVersion: { increment: 0 } }
    const [cluster] = await tx.cluster.updateManyAndReturn({ where: { id }, data })
    if (!cluster) throw new NotFoundError(missing)
    assertExpected(scope, cluster)
    return work(tx, cluster)
  })

interface Work<T> {
  readonly summary: Summary
  readonly work: (change: Change) => Promise<T>
  readonly nodeId: string | null
  readonly isRepair?: boolean
}

async function change<T>(
  scope: Scope,
  clusterId: string,
  { summary, work, nodeId, isRepair = false }: Work<T>,
): Promise<{ result: T; cluster: Cluster }> {
  // A part of several changes of one cluster changes no other.
  if (scope.raised !== null && scope.raised !== clusterId) throw new NotFoundError(nodeId === null ? 'Cluster' : 'Node')
  const changed = await scope.db.$transaction(async (tx) => {
    const [bumped] = await tx.cluster.updateManyAndReturn({
      where: { id: clusterId },
      data: { configVersion: { increment: scope.raised === null ? 1 : 0 } },
    })
    if (!bumped) throw new NotFoundError('Cluster')
    assertExpected(scope, { id: clusterId, configVersion: bumped.configVersion - 1 }, nodeId)
    if (!isRepair) assertKeysOpen(scope.opener, bumped)
    let fields: Columns = {}
    const set = (data: Columns) => {
      fields = { ...fields, ...data }
    }
    const result = await work({ tx, cluster: bumped, set })
    const what = typeof summary === 'string' ? summary : summary()
    const pendingChanges = withPending(bumped.pendingChanges, `${what} (${scope.actor})`)
    const unpublishedSince = bumped.unpublishedSince ?? new Date()
    const data = { pendingChanges, unpublishedSince, ...fields }
    const cluster = await tx.cluster.update({ where: { id: clusterId }, data })
    return { result, cluster }
  })
  scope.changes.emit({ kind: 'changed', clusterId, version: changed.cluster.configVersion })
  return changed
}
