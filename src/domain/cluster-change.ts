import { NotFoundError } from '../base/errors.ts'
import type { Scope } from '../auth/scope.ts'
import type { Cluster, Tx } from '../db/types.ts'

/** A cluster in the middle of a change: its row after the bump, and the transaction the change belongs to. */
export interface Change {
  readonly tx: Tx
  readonly cluster: Cluster
}

/**
 * Changes what the nodes of a cluster must run. The version is bumped first and in the same transaction: the bump locks
 * the cluster's row, so changes of one cluster come one after the other, each rule is checked against what the change
 * before it left, and no version is given twice. A refusal thrown by `work` takes the bump back with it.
 * @throws NotFoundError when the cluster does not exist or is not in the scope
 */
export async function changeCluster<T>(
  scope: Scope,
  clusterId: string,
  work: (change: Change) => Promise<T>,
): Promise<T> {
  return scope.db.$transaction(async (tx) => {
    const [cluster] = await tx.cluster.updateManyAndReturn({
      where: { id: clusterId },
      data: { configVersion: { increment: 1 } },
    })
    if (!cluster) throw new NotFoundError('Cluster')
    return work({ tx, cluster })
  })
}
