import type { Scope } from '../../auth/scope.ts'
import type { ConvergenceFigures } from '../../db/reads/convergence.ts'
import { sql, type Listing } from '../../db/reads/pages.ts'
import type { Node } from '../../db/client/types.ts'
import { areTrustedCasEnded } from '../pki/cluster-ca.ts'
import { allWarningDays, day, warningsOf } from '../pki/ends.ts'
import { nodeFields } from '../nodes/nodes.ts'
import { readPages } from '../shared/pages.ts'

/** A node that was not seen for so long counts as unseen, in milliseconds: agents are heard of once a minute. */
export const unseenAfter = 5 * 60_000

/** How many nodes `furthestBehind` names at most. */
export const mostBehind = 50

/**
 * How far a cluster's nodes have come to its newest published version. Those count that have a certificate: a node that
 * no machine has taken yet runs nothing. `applied`, `pending` and `failed` add up to `total`. A node whose certificate has
 * ended has failed, whatever it runs: no other lets it in. When every CA has ended that the nodes trust, all have.
 */
export interface Convergence {
  readonly clusterId: string
  readonly version: number | null
  readonly total: number
  readonly applied: number
  readonly pending: number
  readonly failed: number
  /** Those of `failed` whose certificate has ended, or whose CA. */
  readonly certificateEnded: number
  /** The lowest version that one of them runs; null when one runs none, and when there are no nodes. */
  readonly slowestVersion: number | null
  /** Since when that one is behind: when the version after its own was published; null when none is. */
  readonly behindSince: Date | null
}

/** Of a cluster without nodes. */
export const noConvergence = (clusterId: string): Convergence => ({
  ...{ clusterId, version: null, slowestVersion: null, behindSince: null },
  ...{ total: 0, applied: 0, pending: 0, failed: 0, certificateEnded: 0 },
})

/** The convergence of each of several clusters, by id, in one statement. */
export async function getConvergence(
  scope: Scope,
  clusterIds: readonly string[],
  now = new Date(),
): Promise<Map<string, Convergence>> {
  const figures = await scope.convergence.figures(clusterIds, now)
  return new Map(figures.map((one) => [one.clusterId, convergenceOf(one, now)]))
}

function convergenceOf(figures: ConvergenceFigures, now: Date): Convergence {
  const { clusterId, version, total, lowest, behindSince } = figures
  const slowestVersion = lowest === 0 ? null : lowest
  const certificateEnded = areTrustedCasEnded(figures, now) ? total : figures.ended
  const place = { clusterId, version, total, certificateEnded, slowestVersion, behindSince }
  if (certificateEnded === total) return { ...place, applied: 0, pending: 0, failed: total }
  // Before the first version there is nothing to run.
  if (version === null) return { ...place, applied: total - certificateEnded, pending: 0, failed: certificateEnded }
  const applied = figures.applied - figures.endedApplied
  const failed = figures.failed - figures.endedFailed + certificateEnded
  return { ...place, applied, pending: total - applied - failed, failed }
}

/** How many certificates of each of several clusters end soon (ends.ts) and have not ended, by id, in one statement. */
export async function countEndingSoon(
  scope: Scope,
  clusterIds: readonly string[],
  now = new Date(),
): Promise<Map<string, number>> {
  const times = [0, ...allWarningDays].map((days) => new Date(now.getTime() + days * day))
  const figures = await scope.convergence.endingUntil(times, clusterIds)
  return new Map(
    figures.map(({ clusterId, lifetimeDays, until }) => {
      const [ended = 0, ...ahead] = until
      const soon = ahead[allWarningDays.indexOf(warningsOf(lifetimeDays)[0])] ?? 0
      return [clusterId, soon - ended]
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
