import { ConflictError, NotFoundError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Node, Tx } from '../../db/client/types.ts'
import { changeCluster, type Change } from '../clusters/cluster-change.ts'
import { countAdminNodes, getNode } from './nodes.ts'

/** A node in the middle of a change: its row, and the change of its cluster. */
export interface NodeChange extends Change {
  readonly node: Node
}

/**
 * Changes one node as a change of its cluster, and emits the event that the node changed.
 * @param what the change of the node, for the next bundle's message
 * @throws NotFoundError when the node does not exist or is not in the scope; ConflictError as changeCluster
 */
export async function changeNode<T>(
  scope: Scope,
  nodeId: string,
  what: string,
  work: (change: NodeChange) => Promise<T>,
): Promise<T> {
  const { result, clusterId } = await workOnNode(scope, nodeId, what, work)
  scope.changes.emit({ kind: 'nodeChanged', clusterId, nodeId })
  return result
}

/**
 * Works on one node as a change of its cluster (changeCluster). The row is read again under the cluster's lock, so that
 * `work` sees the result of the previous change. The caller must emit the event.
 * @param what the change of the node, for the next bundle's message
 * @throws NotFoundError when the node does not exist or is not in the scope; ConflictError as changeCluster
 */
export async function workOnNode<T>(
  scope: Scope,
  nodeId: string,
  what: string,
  work: (change: NodeChange) => Promise<T>,
): Promise<{ result: T; clusterId: string }> {
  const found = await getNode(scope, nodeId, { select: { clusterId: true } })
  if (!found) throw new NotFoundError('Node')
  let name = ''
  const summary = () => `${name}: ${what}`
  const workOnRow = async (change: Change) => {
    const node = await change.tx.node.findUnique({ where: { id: nodeId } })
    if (!node) throw new NotFoundError('Node')
    name = node.name
    return work({ ...change, node })
  }
  const result = await changeCluster(scope, found.clusterId, summary, workOnRow, nodeId)
  return { result, clusterId: found.clusterId }
}

/**
 * Prevents a cluster from losing its last admin node: the last one cannot remove itself, and two cannot remove each
 * other at the same time. Operators and tenant admins may, since they can appoint another.
 * @throws ConflictError
 */
export const assertAdminRemains = (scope: Scope, { tx, node }: NodeChange): Promise<void> =>
  assertAdminsRemain(scope, tx, [node])

/** The same for several nodes of a cluster that lose the role together. @throws ConflictError */
export async function assertAdminsRemain(scope: Scope, tx: Tx, nodes: readonly Node[]): Promise<void> {
  const admins = nodes.filter(({ isAdmin, blockedAt }) => isAdmin && blockedAt === null)
  const [first] = admins
  // At this point, only a node's scope is limited to one cluster.
  if (scope.clusterId === null || first === undefined) return
  if ((await countAdminNodes(tx, first.clusterId)) > admins.length) return
  const who =
    admins.length === 1 ? `"${first.name}" is the cluster's last admin node` : 'These are the last admin nodes'
  throw new ConflictError(`${who}: make another node admin first, or ask a tenant admin to do this`)
}
