import { ConflictError } from '../../base/errors.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import type { TokenHash } from '../../auth/tokens.ts'
import { columns } from '../../db/client/columns.ts'
import { allNodeList, clusterNodeList, nodeList, type NodeFilter, type NodeOrder } from '../../db/reads/lists.ts'
import type { Node, Prisma, Tx } from '../../db/client/types.ts'
import { filterBy, type List } from '../shared/pages.ts'
import { statusTimes } from './status.ts'

export type { NodeFilter, NodeOrder }

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

/** The same columns of a node that another credential led to. */
export const getCredentialNode = (operator: Operator, id: string) =>
  operator.read.row('nodes', 'id', id, credentialFields)

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

/** The nodes of each of several clusters, in pages; by name unless another order is asked for. */
export const listNodes = (filter: NodeFilter = {}, orderBy?: NodeOrder): List => nodeList(queryOf(filter, orderBy))

/**
 * ListNodes: the nodes of one cluster, in pages; all pages are ListAllNodesInCluster. With a filter it is
 * ListLighthouses, ListRelays or ListNodesWithRoutes; counted, CountNodes and CountAdminNodes.
 */
export const listClusterNodes = (clusterId: string, filter: NodeFilter = {}, orderBy?: NodeOrder): List =>
  clusterNodeList(clusterId, queryOf(filter, orderBy))

/** The nodes of all clusters that the caller reaches, in pages: of every tenant for operators. */
export const listNodesOfAll = ({ clusterId }: Scope, filter: NodeFilter = {}, orderBy?: NodeOrder): List =>
  // The lists of one cluster have better indexes.
  clusterId === null ? allNodeList(queryOf(filter, orderBy)) : listClusterNodes(clusterId, filter, orderBy)

const queryOf = (filter: NodeFilter, orderBy: NodeOrder | undefined) => ({
  filter: filterBy(filter),
  orderBy,
  times: statusTimes(),
})

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
