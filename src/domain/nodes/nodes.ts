import type { Operator, Scope } from '../../auth/scope.ts'
import type { TokenHash } from '../../auth/tokens.ts'
import { columns } from '../../db/client/columns.ts'
import { sql, type Listing, type Sql } from '../../db/reads/pages.ts'
import type { Node, Prisma, Tx } from '../../db/client/types.ts'
import { nameContains, isTrue } from '../shared/filters.ts'
import { ofCluster, type List } from '../shared/pages.ts'

/** By name, which is unique in the cluster, along the unique index of (tenant, cluster, name). */
const listing: Listing = {
  table: 'nodes',
  order: ['name'],
  direction: 'asc',
  parent: ofCluster,
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

/** All columns of a node. */
export const nodeFields = Object.keys(columns.nodes) as (keyof typeof columns.nodes)[]

/** GetNode: one node of the tenant; null when it does not exist or is not in the scope. */
export const getNode = (scope: Scope, id: string, query: { select?: Prisma.NodeSelect } = {}) =>
  scope.db.node.findUnique({ ...query, where: { id } })

/** GetNodeByID: one node of any tenant; null when it does not exist. */
export const getNodeById = (operator: Operator, id: string, query: { select?: Prisma.NodeSelect } = {}) =>
  operator.db.node.findUnique({ ...query, where: { id } })

/** Some columns of one node, read in the same query as other look-ups of this moment; null as with GetNode. */
export const findNode = <Field extends keyof Node>(
  scope: Scope,
  id: string,
  fields: readonly Field[],
): Promise<Pick<Node, Field> | null> => scope.rows.find('nodes', 'id', id, fields)

/** GetNodeByTokenHash: the node of a token, with only the columns that authentication needs. */
export const getNodeByTokenHash = (operator: Operator, tokenHash: TokenHash) =>
  operator.rows.find('nodes', 'tokenHash', tokenHash, credentialFields)

/** Includes the versions that an agent polls: this one query answers most of its requests. */
const credentialFields = [
  'id',
  'tenantId',
  'clusterId',
  'name',
  'isAdmin',
  'tokenHash',
  'clusterConfigVersion',
  'latestBundleVersion',
] as const

/** The nodes of each of several clusters, by name, in pages. */
export const listNodes = (filter: NodeFilter = {}): List => ({
  listing: listingFor(filter),
  where: conditions(filter, { tenantId: sql`x.tenant_id`, clusterId: sql`x.cluster_id` }),
})

function listingFor({ isLighthouse, isRelay, outdated }: NodeFilter): Listing {
  if (isLighthouse) return { ...listing, index: 'idx_nodes_lighthouse' }
  if (isRelay) return { ...listing, index: 'idx_nodes_relay' }
  // By name like the other lists, but the index contains the version, so rows outside the list are not read.
  return typeof outdated === 'boolean' ? { ...listing, index: 'idx_nodes_outdated' } : listing
}

/**
 * ListNodes: the nodes of one cluster, by name, in pages; all pages are ListAllNodesInCluster. With a filter it is
 * ListLighthouses, ListRelays or ListNodesWithRoutes; counted, CountNodes and CountAdminNodes. It does not join the
 * cluster's row; the index starts with the tenant, in every scope.
 */
export const listClusterNodes = (clusterId: string, filter: NodeFilter = {}): List => {
  const tenantId = sql`(SELECT tenant_id FROM clusters WHERE id = ${clusterId})`
  const place = { tenantId, clusterId: sql`${clusterId}` }
  return {
    listing: listingFor(filter),
    where: [sql`x.tenant_id = ${tenantId}`, sql`x.cluster_id = ${clusterId}`, ...conditions(filter, place)],
  }
}

/** A client that can read nodes: a scope's, or a transaction of it. */
type Reader = Pick<Tx, 'node'>

/** The nodes of a cluster that have networks behind them, by name, without pages. */
export const listNodesWithRoutes = (db: Reader, clusterId: string): Promise<Node[]> =>
  db.node.findMany({ where: { clusterId, NOT: { routes: { equals: [] } } }, orderBy: { name: 'asc' } })

/** How many of the cluster's nodes are admins. */
export const countAdminNodes = (db: Reader, clusterId: string): Promise<number> =>
  db.node.count({ where: { clusterId, isAdmin: true } })

/** @param place the cluster of `newest`; looked up once where it does not depend on the row */
function conditions(
  { name, isLighthouse, isRelay, isAdmin, hasRoutes, outdated }: NodeFilter,
  place: { readonly tenantId: Sql; readonly clusterId: Sql },
): Sql[] {
  const newest = sql`(SELECT max(b.version) FROM config_bundles b
    WHERE b.tenant_id = ${place.tenantId} AND b.cluster_id = ${place.clusterId})`
  const flag = (condition: Sql, wanted: boolean | null | undefined) =>
    typeof wanted === 'boolean' ? [isTrue(condition, wanted)] : []
  return [
    ...(name ? [nameContains(name)] : []),
    ...flag(sql`x.is_lighthouse`, isLighthouse),
    ...flag(sql`x.is_relay`, isRelay),
    ...flag(sql`x.is_admin`, isAdmin),
    ...flag(sql`(x.routes <> '[]')`, hasRoutes),
    ...flag(sql`(coalesce(x.running_config_version, 0) < coalesce(${newest}, 0))`, outdated),
  ]
}
