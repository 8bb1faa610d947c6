import { newId } from '../../base/ids.ts'
import type { Scope } from '../../auth/scope.ts'
import type { NodeToken, Tokens } from '../../auth/tokens.ts'
import { refusal } from '../../db/client/errors.ts'
import type { Node } from '../../db/client/types.ts'
import { shownOnce } from '../audit/recorded.ts'
import { keepNodesTokens, replacementOf, type Grace } from '../credentials/former-tokens.ts'
import { changeCluster } from '../clusters/cluster-change.ts'
import { addressPool, assertUnderlay, hintAfterRelease } from './node-addresses.ts'
import { assertSignable, certificatesOf } from '../signing/node-certificate.ts'
import { assertAdminRemains, changeNode, workOnNode } from './node-change.ts'
import { nodeNotes, type NodeNotes } from './node-notes.ts'
import { newNodeRules } from './node-rules.ts'
import { nodeNameTaken } from './nodes.ts'
import { revoke } from '../signing/revocation.ts'
import { assertIpv4, assertOutsideOverlay } from './routes.ts'
import { check, defined } from '../shared/rules.ts'

export interface NewNode extends NodeNotes {
  readonly clusterId: string
  readonly name: string
  readonly isAdmin?: boolean | undefined
  readonly mtu?: number | undefined
  readonly routes?: readonly string[] | undefined
  readonly allowDefaultRoute?: boolean | undefined
  readonly groups?: readonly string[] | undefined
  /** The requested address; the lowest free one when absent. */
  readonly overlayIp?: string | undefined
  readonly isLighthouse?: boolean | undefined
  readonly lighthousePublicIp?: string | undefined
  readonly lighthousePort?: number | undefined
  readonly isRelay?: boolean | undefined
}

/**
 * CreateNode: a new machine of a cluster, with an overlay address and the token that it authenticates with. The token
 * is returned only here.
 * @throws ValidationError, NotFoundError when the cluster is not in the scope, ConflictError when the name or the
 * address is taken, LimitError when the network is full
 */
export async function createNode(
  scope: Scope,
  tokens: Tokens,
  { clusterId, ...input }: NewNode,
): Promise<{ node: Node; token: NodeToken }> {
  const fields = check(newNodeRules, input)
  const { name, isAdmin, mtu, routes, groups, overlayIp: wanted } = fields
  const { isLighthouse, lighthousePublicIp, lighthousePort, isRelay } = fields
  // The same columns as in a later change of the notes; newNodeRules has checked them.
  const notes = defined(nodeNotes.parse(input))
  const { token, hash } = shownOnce(scope, tokens.newNodeToken())
  const now = new Date()
  const node = await changeCluster(scope, clusterId, `${name}: created`, async (change) => {
    const { tx, cluster } = change
    assertIpv4(routes, cluster)
    assertOutsideOverlay(routes, cluster)
    assertUnderlay(lighthousePublicIp, cluster)
    const addresses = addressPool(change)
    const overlayIp = await (wanted === undefined ? addresses.lowest() : addresses.wanted(wanted))
    assertSignable(cluster, { name, overlayIp, routes, groups })
    const settings = { name, isAdmin, mtu, groups, routes, routesUpdatedAt: routes.length > 0 ? now : null }
    const lighthouseRelayUpdatedAt = isLighthouse || isRelay ? now : null
    const topology = { isLighthouse, lighthousePublicIp, lighthousePort, isRelay, lighthouseRelayUpdatedAt }
    const identity = { id: newId(), tenantId: cluster.tenantId, clusterId, tokenHash: hash, overlayIp }
    try {
      return await tx.node.create({ data: { ...identity, ...settings, ...topology, ...notes } })
    } catch (error) {
      // The address was looked up under the cluster's lock, so only the name can conflict.
      if (refusal(error)?.kind !== 'unique') throw error
      throw nodeNameTaken(name)
    }
  })
  scope.changes.emit({ kind: 'nodesAdded', clusterId, nodeIds: [node.id] })
  return { node, token }
}

/**
 * UpdateNodeTokenHash: replaces the node's token. Without a grace, the old one is invalid from the next request on,
 * and its open streams end now; with one, that happens at its end. The token before the old one ends now in any case.
 * @throws ValidationError, NotFoundError
 */
export async function rotateNodeToken(
  scope: Scope,
  tokens: Tokens,
  nodeId: string,
  grace: Grace = {},
): Promise<{ node: Node; token: NodeToken }> {
  const replacement = replacementOf(scope, grace)
  const { token, hash } = shownOnce(scope, tokens.newNodeToken())
  const node = await changeNode(scope, nodeId, 'new token', async ({ tx, node: before }) => {
    const after = await tx.node.update({ where: { id: nodeId }, data: { tokenHash: hash } })
    await keepNodesTokens(tx, [before], replacement)
    return after
  })
  scope.changes.emit({ kind: 'ended', clusterId: node.clusterId, whose: { nodeId } })
  return { node, token }
}

/**
 * DeleteNode: removes the machine, revokes its certificate, releases its address and invalidates its token.
 * @throws NotFoundError, ConflictError when a node would leave its cluster without an admin
 */
export async function deleteNode(scope: Scope, nodeId: string): Promise<Node> {
  const { result: deleted, clusterId } = await workOnNode(scope, nodeId, 'deleted', async (change) => {
    await assertAdminRemains(scope, change)
    const { tx, cluster, node, set } = change
    await tx.node.delete({ where: { id: nodeId } })
    set({ nextOverlayIp: hintAfterRelease(cluster, node.overlayIp) })
    revoke(change, certificatesOf(node))
    return node
  })
  scope.changes.emit({ kind: 'nodeRemoved', clusterId, nodeId, name: deleted.name })
  scope.changes.emit({ kind: 'ended', clusterId, whose: { nodeId } })
  return deleted
}
