import type { Scope } from '../../auth/scope.ts'
import { breaks } from '../../base/pieces.ts'
import type { ConvergenceFigures } from '../../db/reads/convergence.ts'
import { slowestNodeList } from '../../db/reads/lists.ts'
import type { Node } from '../../db/client/types.ts'
import { areTrustedCasEnded } from '../pki/cluster-ca.ts'
import { allWarningDays, day, warningsOf } from '../pki/ends.ts'
import { nodeFields } from '../nodes/nodes.ts'
import { unseenAfter } from '../nodes/status.ts'

export { unseenAfter }

/** The maximum number of nodes in `furthestBehind`. */
export const mostBehind = 50

/**
 * How far a cluster's nodes have come to its newest published version. Only nodes with a certificate count, since a
 * node without a machine runs nothing. `applied`, `pending` and `failed` add up to `total`. A node whose certificate
 * has expired counts as failed in any case, since no other node accepts it. When every trusted CA has expired, all
 * nodes have failed.
 */
export interface Convergence {
  readonly clusterId: string
  readonly version: number | null
  readonly total: number
  readonly applied: number
  readonly pending: number
  readonly failed: number
  /** The failed nodes whose certificate, or whose CA, has expired. */
  readonly certificateEnded: number
  /** The lowest version that a node runs; null when a node runs none, and when there are no nodes. */
  readonly slowestVersion: number | null
  /** When the version after `slowestVersion` was published; null when no node is behind. */
  readonly behindSince: Date | null
}

/** The convergence of a cluster without nodes. */
export const noConvergence = (clusterId: string): Convergence => ({
  ...{ clusterId, version: null, slowestVersion: null, behindSince: null },
  ...{ total: 0, applied: 0, pending: 0, failed: 0, certificateEnded: 0 },
})

/** The convergence of each of several clusters, by id, in one statement. */
export async function getConvergence(
  { read }: Pick<Scope, 'read'>,
  clusterIds: readonly string[],
  now = new Date(),
): Promise<Map<string, Convergence>> {
  const found = new Map<string, Convergence>()
  const pause = breaks()
  for (const one of await read.convergence(clusterIds, now)) {
    found.set(one.clusterId, convergenceOf(one, now))
    await pause()
  }
  return found
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

/** How many certificates of a cluster's nodes have expired, or expire soon. */
export interface Ending {
  readonly lifetimeDays: number
  /** How many have expired, then how many others expire within each warning time of such certificates (ends.ts). */
  readonly counts: readonly number[]
}

/** The expiring certificates of each of several clusters, by id, in one statement. */
export async function countEnding(
  scope: Scope,
  clusterIds: readonly string[],
  now = new Date(),
): Promise<Map<string, Ending>> {
  const times = [0, ...allWarningDays].map((days) => new Date(now.getTime() + days * day))
  const figures = await scope.read.endings(times, clusterIds)
  return new Map(
    figures.map(({ clusterId, lifetimeDays, until: [ended = 0, ...ahead] }) => {
      const soon = warningsOf(lifetimeDays).map((days) => (ahead[allWarningDays.indexOf(days)] ?? 0) - ended)
      return [clusterId, { lifetimeDays, counts: [ended, ...soon] }]
    }),
  )
}

/** How many certificates of each cluster's nodes expire soon and have not expired yet, in one statement. */
export async function countEndingSoon(scope: Scope, clusterIds: readonly string[]): Promise<Map<string, number>> {
  const ending = await countEnding(scope, clusterIds)
  return new Map([...ending].map(([id, { counts }]) => [id, counts[1] ?? 0]))
}

/** How many of each cluster's nodes were not seen for five minutes, in one statement. */
export const countUnseen = (scope: Scope, clusterIds: readonly string[]): Promise<Map<string, number>> =>
  scope.read.unseen(new Date(Date.now() - unseenAfter), clusterIds)

/**
 * The nodes of each of several clusters that run the lowest versions, starting with nodes that run none, then by name,
 * in one statement. The caller must check which of them are behind; the first node that is up to date is followed by no
 * node that is behind.
 * @param limit nodes of each cluster
 */
export async function listSlowest(
  scope: Scope,
  clusterIds: readonly string[],
  limit: number,
): Promise<Map<string, Node[]>> {
  const window = { after: null, before: null, limit, inverted: false }
  const pages = await scope.read.pages(slowestNodeList(), clusterIds, { fields: nodeFields, window })
  // The rows have all columns of a Node.
  return pages as unknown as Map<string, Node[]>
}
