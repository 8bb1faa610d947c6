import {
  clusterConditions,
  nodeConditions,
  tenantConditions,
  type ClusterFilter,
  type NodeFilter,
  type TenantFilter,
} from './filters.ts'
import { newestVersion, type StatusTimes } from './node-status.ts'
import type { List, Listing } from './pages.ts'
import { timeText } from './row-values.ts'
import { sql } from './sql.ts'

export type { ClusterFilter, NodeFilter, TenantFilter }

/** By which field rows are listed, and which way. */
export interface OrderBy<Field extends string> {
  readonly field: Field
  readonly direction: 'asc' | 'desc'
}
export type TenantOrder = OrderBy<'name' | 'createdAt'>
export type ClusterOrder = OrderBy<'name' | 'createdAt' | 'configVersion'>
export type BundleOrder = OrderBy<'version' | 'createdAt'>
export type NodeOrder = OrderBy<keyof typeof nodeIndexes>

/** Of a cluster: the whole prefix of an index. */
const ofCluster = {
  table: 'clusters',
  on: [
    ['tenant_id', 'tenant_id'],
    ['cluster_id', 'id'],
  ],
} as const

const byName = { field: 'name', direction: 'asc' } as const

/**
 * The index of each order of nodes: of one cluster, ending with the name, and of all clusters, ending with the id. They
 * are named for SQLite. PostgreSQL chooses by itself; it has none for the last contact, and sorts.
 */
const nodeIndexes = {
  name: { cluster: undefined, all: 'idx_nodes_by_name' },
  createdAt: { cluster: 'idx_nodes_cluster_by_created', all: 'idx_nodes_by_created' },
  lastSeenAt: { cluster: 'idx_nodes_cluster_by_last_seen', all: 'idx_nodes_by_last_seen' },
  overlayIp: { cluster: 'idx_nodes_cluster_by_address', all: 'idx_nodes_by_address' },
  runningConfigVersion: { cluster: 'idx_nodes_cluster_by_version', all: 'idx_nodes_by_version' },
  certificateExpiresAt: { cluster: 'idx_nodes_cluster_by_expiry', all: 'idx_nodes_by_expiry' },
} as const

/** The marks of an order are in its cursors; the order of a list that was not asked for another has none. */
const marked = ({ field, direction }: OrderBy<string>, usual: OrderBy<string>): Pick<Listing, 'direction' | 'mark'> =>
  field === usual.field && direction === usual.direction ? { direction } : { direction, mark: `${field} ${direction}` }

/** With a field that is unique among the rows at the end, so that the order is total. */
const ending = (field: string, unique: string): string[] => (field === unique ? [field] : [field, unique])

/** Whether a filter has a field: then counting reads every row of the list. */
const narrows = (filter: object): boolean =>
  Object.values(filter).some((value) => value !== undefined && value !== null)

export const tenantList = (filter: TenantFilter, orderBy: TenantOrder = byName): List => ({
  isLong: narrows(filter),
  listing: { table: 'tenants', order: ending(orderBy.field, 'name'), ...marked(orderBy, byName), parent: null },
  where: () => tenantConditions(filter),
})

/** Rows that are equal in the order are listed by id, since clusters of several tenants can have the same name. */
export const clusterList = (filter: ClusterFilter, orderBy: ClusterOrder = byName): List => ({
  isLong: narrows(filter),
  listing: {
    table: 'clusters',
    order: [orderBy.field, 'id'],
    ...marked(orderBy, byName),
    parent: { table: 'tenants', on: [['tenant_id', 'id']] },
  },
  where: () => clusterConditions(filter),
})

export interface CredentialFilter {
  /** Only credentials of this kind. */
  readonly kind?: string | null | undefined
  /** Only credentials of this tenant. */
  readonly tenantId?: string | null | undefined
}

/**
 * Those that are neither used nor expired, by name, then by id, since names are not unique; along
 * idx_credentials_tenant.
 */
export const credentialList = ({ kind, tenantId }: CredentialFilter): List => ({
  listing: { table: 'credentials', order: ['name', 'id'], direction: 'asc', parent: null },
  where: () => [
    sql`x.used_at IS NULL`,
    sql`(x.expires_at IS NULL OR x.expires_at > ${timeText(Date.now())})`,
    ...(kind ? [sql`x.kind = ${kind}`] : []),
    ...(tenantId ? [sql`x.tenant_id = ${tenantId}`] : []),
  ],
})

/**
 * The clusters of which an instance runs no version, or one older than the wanted version. SQL without a figure: Prisma
 * does not compare columns of two tables.
 */
export function staleClusterList(instanceId: string): List {
  const current = sql`
    SELECT 1 FROM cluster_state s
    WHERE s.cluster_id = x.id AND s.instance_id = ${instanceId} AND s.running_config_version >= x.config_version`
  return { listing: clusterList({}).listing, where: () => [sql`NOT EXISTS (${current})`] }
}

/** Which nodes, in which order, and what their status is measured against. */
export interface NodeQuery {
  readonly filter: NodeFilter
  readonly orderBy?: NodeOrder | undefined
  readonly times: StatusTimes
}

/** The nodes of each of several clusters. */
export const nodeList = ({ filter, orderBy, times }: NodeQuery): List => ({
  isLong: narrows(filter),
  listing: clusterNodes(filter, orderBy),
  where: (engine) => nodeConditions(filter, { engine, times }),
})

/** The nodes of one cluster, without joining its row; the index starts with the tenant, in every scope. */
export function clusterNodeList(clusterId: string, { filter, orderBy, times }: NodeQuery): List {
  const tenantId = sql`(SELECT tenant_id FROM clusters WHERE id = ${clusterId})`
  const newest = newestVersion(tenantId, sql`${clusterId}`)
  return {
    isLong: narrows(filter),
    listing: clusterNodes(filter, orderBy),
    where: (engine) => [
      sql`x.tenant_id = ${tenantId}`,
      sql`x.cluster_id = ${clusterId}`,
      ...nodeConditions(filter, { engine, times, newest }),
    ],
  }
}

/** The nodes of all clusters in the scope; those that are equal in the order by id. */
export function allNodeList({ filter, orderBy = byName, times }: NodeQuery): List {
  const listing = { table: 'nodes', order: [orderBy.field, 'id'], ...marked(orderBy, byName), parent: null } as const
  return {
    isLong: true,
    listing: { ...listing, along: nodeIndexes[orderBy.field].all, ...indexFor(filter) },
    where: (engine) => nodeConditions(filter, { engine, times }),
  }
}

/**
 * The nodes with a certificate, those that run the lowest versions first, starting with nodes that run none; then by
 * name. SQL without a figure: Prisma would read every node of each cluster and cut the lists in memory.
 */
export const slowestNodeList = (): List => ({
  listing: {
    table: 'nodes',
    order: ['runningConfigVersion', 'name'],
    direction: 'asc',
    parent: ofCluster,
    index: 'idx_nodes_running_version',
    nullsFirst: true,
  },
  where: () => [sql`x.certificate IS NOT NULL`],
})

const newestFirst = { field: 'version', direction: 'desc' } as const

/** By version along idx_config_bundles_cluster_version. */
export const bundleList = (orderBy: BundleOrder = newestFirst): List => ({
  listing: {
    table: 'config_bundles',
    order: ending(orderBy.field, 'version'),
    ...marked(orderBy, newestFirst),
    parent: ofCluster,
  },
  where: () => [],
})

/** In the order of the name along the unique index of (tenant, cluster, name); nodes that are equal, by name. */
function clusterNodes(filter: NodeFilter, orderBy: NodeOrder = byName): Listing {
  const { cluster } = nodeIndexes[orderBy.field]
  const listing: Listing = {
    table: 'nodes',
    order: ending(orderBy.field, 'name'),
    ...marked(orderBy, byName),
    parent: ofCluster,
    ...(cluster === undefined ? {} : { along: cluster }),
    ...indexFor(filter),
  }
  // By name like the other lists, but the index contains the version, so rows outside the list are not read.
  const { outdated } = filter
  return cluster === undefined && listing.index === undefined && typeof outdated === 'boolean'
    ? { ...listing, index: 'idx_nodes_outdated' }
    : listing
}

/** The few lighthouses and relays are found, and sorted in memory. */
function indexFor({ isLighthouse, isRelay }: NodeFilter): Pick<Listing, 'index'> {
  if (isLighthouse) return { index: 'idx_nodes_lighthouse' }
  return isRelay ? { index: 'idx_nodes_relay' } : {}
}
