import type { Scope } from '../../auth/scope.ts'
import { NotFoundError } from '../../base/errors.ts'
import { clusterList } from '../../db/reads/lists.ts'
import { nodeStatuses } from '../../db/reads/node-status.ts'
import { noNodes, type StatusCounts } from '../../db/reads/status-counts.ts'
import { findTenant } from '../tenants/tenants.ts'
import { figureColumns, figuresOf, type ClusterFigures, type FigureRow } from './figures.ts'

/** How many clusters a fleet shows. */
export const mostClusters = 500

/** All clusters that a caller sees, or those of one tenant. */
export interface Fleet {
  /** By name; at most `mostClusters`. */
  readonly clusters: readonly ClusterFigures[]
  readonly tenants: readonly TenantFigures[]
  /** Whether there are further clusters, which are counted nowhere here. */
  readonly isTruncated: boolean
}

/** The sums of a tenant's clusters. */
export interface TenantFigures {
  readonly tenantId: string
  readonly clusters: number
  /** All nodes, by status. */
  readonly nodes: StatusCounts
  /** Nodes with a certificate; `applied`, `pending` and `failed` add up to it. */
  readonly total: number
  readonly applied: number
  readonly pending: number
  readonly failed: number
  readonly certificatesEndingWithin7Days: number
  readonly certificatesEndingWithin30Days: number
  /** The first end of a CA. */
  readonly caExpiresAt: Date | null
  /** Clusters whose CA is being rotated. */
  readonly rotating: number
  /** Clusters with unpublished changes. */
  readonly unpublished: number
}

/**
 * The figures of all clusters in the scope, or of one tenant's.
 * @param signal fires when they are not needed any more
 * @throws NotFoundError when the tenant does not exist or is not in the scope
 */
export async function getFleet(scope: Scope, tenantId: string | null, signal?: AbortSignal): Promise<Fleet> {
  if (tenantId !== null) await assertTenantInScope(scope, tenantId)
  const window = { after: null, before: null, limit: mostClusters + 1, inverted: false }
  const page = await scope.read.page(clusterList({ tenantId }), { fields: figureColumns, window })
  // The rows have the columns that were asked for.
  const rows = page as unknown as readonly FigureRow[]
  const clusters = await figuresOf(scope, rows.slice(0, mostClusters), signal)
  return { clusters, tenants: byTenant(clusters), isTruncated: rows.length > mostClusters }
}

/** The ids of the same clusters as in the fleet, for its streams, which were accepted for the tenant. */
export async function listFleetIds(
  scope: Scope,
  tenantId: string | null,
): Promise<{ readonly ids: readonly string[]; readonly isTruncated: boolean }> {
  const window = { after: null, before: null, limit: mostClusters + 1, inverted: false }
  const rows = await scope.read.page(clusterList({ tenantId }), { fields: ['id'], window })
  return { ids: rows.slice(0, mostClusters).map(({ id }) => String(id)), isTruncated: rows.length > mostClusters }
}

/** The figures of given clusters, by id; clusters that are not in the scope, or not of the tenant, are missing. */
export async function getFigures(
  scope: Scope,
  clusterIds: readonly string[],
  { tenantId = null, signal }: { readonly tenantId?: string | null; readonly signal?: AbortSignal } = {},
): Promise<Map<string, ClusterFigures>> {
  const select = Object.fromEntries(figureColumns.map((column) => [column, true])) as Record<keyof FigureRow, true>
  const where = { id: { in: [...clusterIds] }, ...(tenantId === null ? {} : { tenantId }) }
  const rows = await scope.db.cluster.findMany({ where, select })
  const figures = await figuresOf(scope, rows, signal)
  return new Map(figures.map((one) => [one.clusterId, one]))
}

/** @throws NotFoundError when the tenant does not exist or is not in the scope */
export async function assertTenantInScope(scope: Scope, id: string): Promise<void> {
  // Authentication has read it from the credential.
  if (scope.tenantId === id) return
  if ((await findTenant(scope, id, ['id'])) === null) throw new NotFoundError('Tenant')
}

function byTenant(clusters: readonly ClusterFigures[]): TenantFigures[] {
  const tenants = new Map<string, TenantFigures>()
  for (const cluster of clusters) {
    tenants.set(cluster.tenantId, plus(tenants.get(cluster.tenantId) ?? noFigures(cluster.tenantId), cluster))
  }
  return [...tenants.values()]
}

const noFigures = (tenantId: string): TenantFigures => ({
  ...{ tenantId, clusters: 0, nodes: noNodes, total: 0, applied: 0, pending: 0, failed: 0 },
  ...{ certificatesEndingWithin7Days: 0, certificatesEndingWithin30Days: 0, caExpiresAt: null },
  ...{ rotating: 0, unpublished: 0 },
})

const plus = (sum: TenantFigures, one: ClusterFigures): TenantFigures => ({
  tenantId: sum.tenantId,
  clusters: sum.clusters + 1,
  nodes: sumOf(sum.nodes, one.nodes),
  total: sum.total + one.convergence.total,
  applied: sum.applied + one.convergence.applied,
  pending: sum.pending + one.convergence.pending,
  failed: sum.failed + one.convergence.failed,
  certificatesEndingWithin7Days: sum.certificatesEndingWithin7Days + one.certificatesEnding.within7Days,
  certificatesEndingWithin30Days: sum.certificatesEndingWithin30Days + one.certificatesEnding.within30Days,
  caExpiresAt: earlier(sum.caExpiresAt, one.caExpiresAt),
  rotating: sum.rotating + (one.caRotationPhase === null ? 0 : 1),
  unpublished: sum.unpublished + (one.unpublishedVersions === 0 ? 0 : 1),
})

const sumOf = (a: StatusCounts, b: StatusCounts): StatusCounts =>
  Object.fromEntries(nodeStatuses.map((status) => [status, a[status] + b[status]])) as StatusCounts

const earlier = (a: Date | null, b: Date | null): Date | null => (a === null || (b !== null && b < a) ? b : a)
