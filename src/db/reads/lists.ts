import { earliestIdAt } from '../../base/ids.ts'
import type { List, Listing } from './pages.ts'
import { sql, type Sql } from './sql.ts'

/** Of a cluster: the whole prefix of an index. */
const ofCluster = {
  table: 'clusters',
  on: [
    ['tenant_id', 'tenant_id'],
    ['cluster_id', 'id'],
  ],
} as const

const tenants: Listing = { table: 'tenants', order: ['name'], direction: 'asc', parent: null }

/** By name, then by id, since clusters of several tenants can have the same name. */
const clusters: Listing = {
  table: 'clusters',
  order: ['name', 'id'],
  direction: 'asc',
  parent: { table: 'tenants', on: [['tenant_id', 'id']] },
}

/** By name, which is unique in the cluster, along the unique index of (tenant, cluster, name). */
const nodes: Listing = { table: 'nodes', order: ['name'], direction: 'asc', parent: ofCluster }

/** By version, starting with nodes that run none; then by name. */
const nodesByVersion: Listing = {
  table: 'nodes',
  order: ['running_config_version', 'name'],
  direction: 'asc',
  parent: ofCluster,
  index: 'idx_nodes_running_version',
  nullsFirst: true,
}

/** The newest first, along idx_config_bundles_cluster_version. */
const bundles: Listing = { table: 'config_bundles', order: ['version'], direction: 'desc', parent: ofCluster }

/** By id, which is in the order of time, along the index of whichever column the filter names. */
const auditEvents: Listing = { table: 'audit_events', order: ['id'], direction: 'desc', parent: null }

export interface TenantFilter {
  /** Part of the name, case-insensitive. */
  readonly name?: string | null | undefined
}

export interface ClusterFilter {
  /** Part of the name, case-insensitive. */
  readonly name?: string | null | undefined
  /** Only clusters of this tenant. */
  readonly tenantId?: string | null | undefined
}

export interface NodeFilter {
  /** Part of the name, case-insensitive. */
  readonly name?: string | null | undefined
  readonly isLighthouse?: boolean | null | undefined
  readonly isRelay?: boolean | null | undefined
  readonly isAdmin?: boolean | null | undefined
  /** Whether the node has routes to networks behind it. */
  readonly hasRoutes?: boolean | null | undefined
  /** Whether it runs an older version than the newest published one, or none. */
  readonly outdated?: boolean | null | undefined
}

export const tenantList = ({ name }: TenantFilter): List => ({ listing: tenants, where: nameContains(name) })

export const clusterList = ({ name, tenantId }: ClusterFilter): List => ({
  listing: clusters,
  where: [...nameContains(name), ...(tenantId ? [sql`x.tenant_id = ${tenantId}`] : [])],
})

/**
 * The clusters of which an instance runs no version, or one older than the wanted version. SQL without a figure: Prisma
 * does not compare columns of two tables.
 */
export function staleClusterList(instanceId: string): List {
  const current = sql`
    SELECT 1 FROM cluster_state s
    WHERE s.cluster_id = x.id AND s.instance_id = ${instanceId} AND s.running_config_version >= x.config_version`
  return { listing: clusters, where: [sql`NOT EXISTS (${current})`] }
}

/** The nodes of each of several clusters. */
export const nodeList = (filter: NodeFilter): List => ({
  listing: nodeListing(filter),
  where: nodeConditions(filter, { tenantId: sql`x.tenant_id`, clusterId: sql`x.cluster_id` }),
})

/** The nodes of one cluster, without joining its row; the index starts with the tenant, in every scope. */
export function clusterNodeList(clusterId: string, filter: NodeFilter): List {
  const tenantId = sql`(SELECT tenant_id FROM clusters WHERE id = ${clusterId})`
  const conditions = nodeConditions(filter, { tenantId, clusterId: sql`${clusterId}` })
  return {
    listing: nodeListing(filter),
    where: [sql`x.tenant_id = ${tenantId}`, sql`x.cluster_id = ${clusterId}`, ...conditions],
  }
}

/**
 * The nodes with a certificate, those that run the lowest versions first. SQL without a figure: Prisma would read every
 * node of each cluster and cut the lists in memory.
 */
export const slowestNodeList = (): List => ({ listing: nodesByVersion, where: [sql`x.certificate IS NOT NULL`] })

export const bundleList = (): List => ({ listing: bundles, where: [] })

export interface AuditFilter {
  readonly tenantId?: string | null | undefined
  readonly clusterId?: string | null | undefined
  /** The whole name. */
  readonly actor?: string | null | undefined
  readonly action?: string | null | undefined
  readonly outcome?: string | null | undefined
  /** From this moment on. */
  readonly since?: Date | null | undefined
  /** Before this moment. */
  readonly until?: Date | null | undefined
}

export function auditEventList(filter: AuditFilter, direction: 'asc' | 'desc'): List {
  const { tenantId, clusterId, actor, action, outcome, since, until } = filter
  return {
    listing: { ...auditEvents, direction },
    where: [
      // An anchor is no event.
      sql`x.sequence > 0`,
      ...(tenantId ? [sql`x.tenant_id = ${tenantId}`] : []),
      ...(clusterId ? [sql`x.cluster_id = ${clusterId}`] : []),
      ...(actor ? [sql`x.actor = ${actor}`] : []),
      ...(action ? [sql`x.action = ${action}`] : []),
      ...(outcome ? [sql`x.outcome = ${outcome}`] : []),
      ...(since ? [sql`x.id >= ${earliestIdAt(since)}`] : []),
      ...(until ? [sql`x.id < ${earliestIdAt(until)}`] : []),
    ],
  }
}

function nodeListing({ isLighthouse, isRelay, outdated }: NodeFilter): Listing {
  if (isLighthouse) return { ...nodes, index: 'idx_nodes_lighthouse' }
  if (isRelay) return { ...nodes, index: 'idx_nodes_relay' }
  // By name like the other lists, but the index contains the version, so rows outside the list are not read.
  return typeof outdated === 'boolean' ? { ...nodes, index: 'idx_nodes_outdated' } : nodes
}

/** @param place the cluster of `newest`; looked up once where it does not depend on the row */
function nodeConditions(
  { name, isLighthouse, isRelay, isAdmin, hasRoutes, outdated }: NodeFilter,
  place: { readonly tenantId: Sql; readonly clusterId: Sql },
): Sql[] {
  const newest = sql`(SELECT max(b.version) FROM config_bundles b
    WHERE b.tenant_id = ${place.tenantId} AND b.cluster_id = ${place.clusterId})`
  return [
    ...nameContains(name),
    ...flag(sql`x.is_lighthouse`, isLighthouse),
    ...flag(sql`x.is_relay`, isRelay),
    ...flag(sql`x.is_admin`, isAdmin),
    ...flag(sql`(x.routes <> '[]')`, hasRoutes),
    ...flag(sql`(coalesce(x.running_config_version, 0) < coalesce(${newest}, 0))`, outdated),
  ]
}

/** The name contains `part`, case-insensitive; `%` and `_` in the part are literal. */
function nameContains(part: string | null | undefined): Sql[] {
  if (!part) return []
  const pattern = `%${part.replace(/[\\%_]/g, (mark) => `\\${mark}`)}%`
  return [sql`lower(x.name) LIKE lower(${pattern}) ESCAPE '\\'`]
}

/** Whether the condition is true. Written as the bare column, as the partial indexes declare it. */
const flag = (condition: Sql, wanted: boolean | null | undefined): Sql[] =>
  typeof wanted === 'boolean' ? [wanted ? condition : sql`NOT ${condition}`] : []
