import type { Scope } from '../../auth/scope.ts'
import { refusal } from '../../db/client/errors.ts'
import type { Node } from '../../db/client/types.ts'
import { assertUnderlay } from './node-addresses.ts'
import { assertAdminRemains, changeNode } from './node-change.ts'
import { groupsRules, lighthouseRules, mtuRules, nameRules, routesRules } from './node-rules.ts'
import { nodeNameTaken } from './nodes.ts'
import { groupsOf, renewed } from '../signing/node-signing.ts'
import { assertIpv4, assertOutsideOverlay } from './routes.ts'
import { check } from '../shared/rules.ts'
import type { Vault } from '../pki/vault.ts'

/**
 * UpdateNodeMTU: the maximum packet size of the node's tunnel device, in bytes.
 * @throws ValidationError, NotFoundError
 */
export async function updateNodeMtu(scope: Scope, id: string, input: { mtu: number }): Promise<Node> {
  const { mtu } = check(mtuRules, input)
  return changeNode(scope, id, `MTU ${mtu}`, ({ tx }) => tx.node.update({ where: { id }, data: { mtu } }))
}

/**
 * UpdateNodeRoutes: replaces the networks that are reachable behind the node, also in its certificate.
 * @throws ValidationError, NotFoundError, ConflictError when the CA has expired
 */
export async function updateNodeRoutes(
  scope: Scope,
  vault: Vault,
  id: string,
  input: { routes: readonly string[]; allowDefaultRoute?: boolean | undefined },
): Promise<Node> {
  const { routes } = check(routesRules, input)
  return changeNode(scope, id, `routes ${list(routes)}`, (change) => {
    const { tx, cluster } = change
    assertIpv4(routes, cluster)
    assertOutsideOverlay(routes, cluster)
    const data = { routes, routesUpdatedAt: new Date(), ...renewed(vault, change, { routes }) }
    return tx.node.update({ where: { id }, data })
  })
}

/**
 * UpdateNodeLighthouse: whether other nodes find each other through the node, and where they find it. An absent field
 * resets its value: no public address, the cluster's port.
 * @throws ValidationError, NotFoundError
 */
export async function updateNodeLighthouse(
  scope: Scope,
  id: string,
  input: { isLighthouse: boolean; lighthousePublicIp?: string | undefined; lighthousePort?: number | undefined },
): Promise<Node> {
  const { isLighthouse, lighthousePublicIp, lighthousePort } = check(lighthouseRules, input)
  return changeNode(scope, id, isLighthouse ? 'is a lighthouse' : 'is no lighthouse', ({ tx, cluster }) => {
    assertUnderlay(lighthousePublicIp, cluster)
    const data = { isLighthouse, lighthousePublicIp, lighthousePort, lighthouseRelayUpdatedAt: new Date() }
    return tx.node.update({ where: { id }, data })
  })
}

/**
 * UpdateNodeRelay: whether the node relays packets between nodes that cannot reach each other directly.
 * @throws NotFoundError
 */
export const updateNodeRelay = (scope: Scope, id: string, { isRelay }: { isRelay: boolean }): Promise<Node> =>
  changeNode(scope, id, isRelay ? 'is a relay' : 'is no relay', ({ tx }) =>
    tx.node.update({ where: { id }, data: { isRelay, lighthouseRelayUpdatedAt: new Date() } }),
  )

/** A node with a new name, and its former one. */
interface Renamed {
  readonly node: Node
  readonly former: string
}

/**
 * Gives the node another name, also in its certificate, which firewall rules for a host refer to. Its address, its
 * token and its key stay.
 * @throws ValidationError, NotFoundError, ConflictError when the name is taken, or the CA has expired
 */
export async function renameNode(scope: Scope, vault: Vault, id: string, input: { name: string }): Promise<Renamed> {
  const { name } = check(nameRules, input)
  return changeNode(scope, id, `renamed to ${name}`, async (change) => {
    const data = { name, ...renewed(vault, change, { name }) }
    try {
      return { node: await change.tx.node.update({ where: { id }, data }), former: change.node.name }
    } catch (error) {
      if (refusal(error)?.kind !== 'unique') throw error
      throw nodeNameTaken(name)
    }
  })
}

/** A node with new groups, and its former ones. */
interface Regrouped {
  readonly node: Node
  readonly former: readonly string[]
}

/**
 * Replaces the groups in the node's certificate, which firewall rules refer to.
 * @throws ValidationError, NotFoundError, ConflictError when the CA has expired
 */
export async function updateNodeGroups(
  scope: Scope,
  vault: Vault,
  id: string,
  input: { groups: readonly string[] },
): Promise<Regrouped> {
  const { groups } = check(groupsRules, input)
  return changeNode(scope, id, `groups ${list(groups)}`, async (change) => {
    const data = { groups, ...renewed(vault, change, { groups }) }
    return { node: await change.tx.node.update({ where: { id }, data }), former: groupsOf(change.node) }
  })
}

/**
 * Makes the node an admin of its cluster, or removes that role. This is a change of the cluster, for its audit trail
 * and so that two admins cannot demote each other at the same time.
 * @throws NotFoundError, ConflictError when a node would leave its cluster without an admin
 */
export const updateNodeAdmin = (scope: Scope, id: string, { isAdmin }: { isAdmin: boolean }): Promise<Node> =>
  changeNode(scope, id, isAdmin ? 'is an admin' : 'is no admin', async (change) => {
    if (!isAdmin) await assertAdminRemains(scope, change)
    return change.tx.node.update({ where: { id }, data: { isAdmin } })
  })

const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))
