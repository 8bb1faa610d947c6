import type { Scope } from '../auth/scope.ts'
import { sql, type Listing } from '../db/pages.ts'
import type { Node } from '../db/types.ts'
import { nodeFields } from './nodes.ts'
import { readPages } from './pages.ts'

/** A node that was not seen for so long counts as unseen, in milliseconds: agents are heard of once a minute. */
export const unseenAfter = 5 * 60_000

/** How many nodes `furthestBehind` names at most. */
export const mostBehind = 50

/**
 * How far a cluster's nodes have come to its newest published version. Those count that have a certificate: a node that
 * no machine has taken yet runs nothing. `applied`, `pending` and `failed` add up to `total`.
 */
export interface Convergence {
  readonly clusterId: string
  readonly version: number | null
  readonly total: number
  readonly applied: number
  readonly pending: number
  readonly failed: number
  /** The lowest version that one of them runs; null when one runs none, and when there are no nodes. */
  readonly slowestVersion: number | null
  /** Since when that one is behind: when the version after its own was published; null when none is. */
  readonly behindSince: Date | null
}

/** Of a cluster without nodes. */
export const noConvergence = (clusterId: string): Convergence => ({
  ...{ clusterId, version: null, slowestVersion: null, behindSince: null },
  ...{ total: 0, applied: 0, pending: 0, failed: 0 },
})

/** The convergence of each of several clusters, by id, in one statement. */
export async function getConvergence(scope: Scope, clusterIds: readonly string[]): Promise<Map<string, Convergence>> {
  const figures = await scope.convergence.figures(clusterIds)
  return new Map(
    figures.map(({ clusterId, version, total, lowest, behindSince, ...counted }) => {
      // Before the first version there is nothing to run.
      const { applied, failed } = version === null ? { applied: total, failed: 0 } : counted
      const slowestVersion = lowest === 0 ? null : lowest
      const pending = total - applied - failed
      return [clusterId, { clusterId, version, total, applied, pending, failed, slowestVersion, behindSince }]
    }),
  )
}

/** How many of each cluster's nodes were not seen for five minutes, in one statement. */
export const countUnseen = (scope: Scope, clusterIds: readonly string[]): Promise<Map<string, number>> =>
  scope.convergence.unseenSince(new Date(Date.now() - unseenAfter), clusterIds)

/** By version, those that run none first; then by name. */
const byVersion: Listing = {
  table: 'nodes',
  order: ['running_config_version', 'name'],
  direction: 'asc',
  parent: {
    table: 'clusters',
    on: [
      ['tenant_id', 'tenant_id'],
      ['cluster_id', 'id'],
    ],
  },
  index: 'idx_nodes_running_version',
  nullsFirst: true,
}

/**
 * The nodes of each of several clusters that run the lowest versions, those that run none first, then by name: in one
 * statement. That each of them is behind is for the caller to see; whoever comes after one that is not is not, either.
 * @param limit of each cluster
 */
export async function listSlowest(
  scope: Scope,
  clusterIds: readonly string[],
  limit: number,
): Promise<Map<string, Node[]>> {
  const window = { after: null, before: null, limit, inverted: false }
  const list = { listing: byVersion, where: [sql`x.certificate IS NOT NULL`] }
  const pages = await readPages(scope, list, clusterIds, { fields: nodeFields, window })
  // The rows have all columns, which is what a Node is.
  return pages as unknown as Map<string, Node[]>
}
