import { ConflictError } from '../../base/errors.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import type { TokenHash } from '../../auth/tokens.ts'
import { columns } from '../../db/client/columns.ts'
import { clusterNodeList, nodeList, type NodeFilter } from '../../db/reads/lists.ts'
import type { Node, Prisma, Tx } from '../../db/client/types.ts'
import { filterBy, type List } from '../shared/pages.ts'

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
): Promise<Pick<Node, Field> | null> => scope.read.row('nodes', 'id', id, fields)

/** GetNodeByTokenHash: the node of a token, with only the columns that authentication needs. */
export const getNodeByTokenHash = (operator: Operator, tokenHash: TokenHash) =>
  operator.read.row('nodes', 'tokenHash', tokenHash, credentialFields)

/** Includes the versions that an agent polls: this one query answers most of its requests. */
const credentialFields = [
  'id',
  'tenantId',
  'clusterId',
  'name',
  'isAdmin',
  'tokenHash',
  'blockedAt',
  'clusterConfigVersion',
  'latestBundleVersion',
] as const

/** The nodes of each of several clusters, by name, in pages. */
export const listNodes = (filter: NodeFilter = {}): List => nodeList(filterBy(filter))

/**
 * ListNodes: the nodes of one cluster, by name, in pages; all pages are ListAllNodesInCluster. With a filter it is
 * ListLighthouses, ListRelays or ListNodesWithRoutes; counted, CountNodes and CountAdminNodes.
 */
export const listClusterNodes = (clusterId: string, filter: NodeFilter = {}): List =>
  clusterNodeList(clusterId, filterBy(filter))

/** A client that can read nodes: a scope's, or a transaction of it. */
type Reader = Pick<Tx, 'node'>

/** The nodes of a cluster that have networks behind them, by name, without pages. */
export const listNodesWithRoutes = (db: Reader, clusterId: string): Promise<Node[]> =>
  db.node.findMany({ where: { clusterId, NOT: { routes: { equals: [] } } }, orderBy: { name: 'asc' } })

/** How many of the cluster's nodes are admins whose token works: a blocked one does not count. */
export const countAdminNodes = (db: Reader, clusterId: string): Promise<number> =>
  db.node.count({ where: { clusterId, isAdmin: true, blockedAt: null } })

/** The cluster has a node of this name. */
export const nodeNameTaken = (name: string): ConflictError =>
  new ConflictError(`The cluster has a node named "${name}" already`)
