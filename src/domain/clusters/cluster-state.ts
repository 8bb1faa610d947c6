import * as z from 'zod'

import { NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import { refusal } from '../../db/client/errors.ts'
import { staleClusterList } from '../../db/reads/lists.ts'
import type { ClusterState, Prisma } from '../../db/client/types.ts'
import { getClusterVersion } from './clusters.ts'
import { check } from '../shared/rules.ts'

/** The maximum number of clusters that GetStaleClusters returns; after updating them, the caller asks again. */
export const mostStaleClusters = 500

/**
 * GetClusterState: the version that one instance runs of each of several clusters, by cluster id. A cluster that never
 * ran there is missing.
 */
export async function getClusterState(
  scope: Scope,
  instanceId: string,
  clusterIds: readonly string[],
): Promise<Map<string, ClusterState>> {
  const states = await scope.db.clusterState.findMany({ where: { instanceId, clusterId: { in: [...clusterIds] } } })
  return new Map(states.map((state) => [state.clusterId, state]))
}

/**
 * ListClusterStates: the versions that all instances run of each of several clusters, by cluster id, the newest report
 * first.
 */
export async function listClusterStates(
  scope: Scope,
  clusterIds: readonly string[],
): Promise<Map<string, ClusterState[]>> {
  const states = await scope.db.clusterState.findMany({
    where: { clusterId: { in: [...clusterIds] } },
    orderBy: [{ updatedAt: 'desc' }, { instanceId: 'asc' }],
  })
  const byCluster = new Map<string, ClusterState[]>(clusterIds.map((id) => [id, []]))
  for (const state of states) byCluster.get(state.clusterId)?.push(state)
  return byCluster
}

/**
 * GetStaleClusters: the clusters of which the instance runs no version, or one older than the wanted version, by name;
 * at most 500.
 */
export async function getStaleClusters(
  operator: Operator,
  instanceId: string,
  query: { select?: Prisma.ClusterSelect } = {},
) {
  const window = { after: null, before: null, limit: mostStaleClusters, inverted: false }
  const stale = await operator.read.page(staleClusterList(instanceId), { fields: ['id'], window })
  return operator.db.cluster.findMany({
    ...query,
    where: { id: { in: stale.map(({ id }) => String(id)) } },
    orderBy: [{ name: 'asc' }, { id: 'asc' }],
  })
}

const rules = z.object({ runningConfigVersion: z.int('must be a whole number').min(1, 'must be at least 1') })

/**
 * UpsertClusterState: records that an instance now runs this version of the cluster.
 * @throws NotFoundError, ValidationError also when the cluster has not reached that version yet
 */
export async function upsertClusterState(
  operator: Operator,
  { clusterId, instanceId, ...input }: { clusterId: string; instanceId: string; runningConfigVersion: number },
): Promise<ClusterState> {
  const { runningConfigVersion } = check(rules, input)
  const wanted = await getClusterVersion(operator, clusterId)
  if (wanted === null) throw new NotFoundError('Cluster')
  if (runningConfigVersion > wanted) {
    const message = `must be at most ${wanted}, the version that is wanted`
    throw ValidationError.at(['input', 'runningConfigVersion'], 'OUT_OF_RANGE', message)
  }
  const report = { runningConfigVersion, updatedAt: new Date() }
  try {
    return await operator.db.clusterState.upsert({
      where: { clusterId_instanceId: { clusterId, instanceId } },
      create: { clusterId, instanceId, ...report },
      update: report,
    })
  } catch (error) {
    if (refusal(error)?.kind === 'foreignKey') throw new NotFoundError('Cluster')
    throw error
  }
}

/**
 * DeleteClusterState: records that the instance no longer runs the cluster.
 * @throws NotFoundError
 */
export async function deleteClusterState(
  operator: Operator,
  id: { clusterId: string; instanceId: string },
): Promise<ClusterState> {
  try {
    return await operator.db.$transaction(async (tx) => {
      const state = await tx.clusterState.delete({ where: { clusterId_instanceId: id } })
      // The row does not say whose the cluster is, and the audit trail is the tenant's.
      await tx.cluster.findUniqueOrThrow({ where: { id: id.clusterId }, select: { id: true, tenantId: true } })
      return state
    })
  } catch (error) {
    if (refusal(error)?.kind === 'missing') throw new NotFoundError('ClusterState')
    throw error
  }
}
