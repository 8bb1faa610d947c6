import { intervalOf, meet } from '../../base/networks.ts'
import type { Cluster } from '../../db/client/types.ts'
import { isDefaultRoute } from '../nodes/routes.ts'
import type { ClusterFacts, NodeFacts } from './facts.ts'
import { isOfSite } from './networks.ts'
import { several, type ChangeWarning } from './warning.ts'

const field = 'lighthousePublicIp'

/** Reasons why other nodes may not find a lighthouse, and settings that only a lighthouse uses. */
export async function lighthouseWarnings(facts: ClusterFacts, node: NodeFacts): Promise<ChangeWarning[]> {
  const { isLighthouse, lighthousePublicIp: address } = node
  if (!isLighthouse) return [...withoutEffect(node)]
  // The rules require an address for every lighthouse.
  if (address === null) return []
  return [
    ...notReached(await facts.cluster(), address),
    ...(await sharedAddress(facts, node)),
    ...(await behindRoutes(facts, address)),
  ]
}

const withoutEffect = ({ lighthousePublicIp, lighthousePort }: NodeFacts): ChangeWarning[] =>
  Object.entries({ lighthousePublicIp, lighthousePort }).flatMap(([key, value]) =>
    value === null
      ? []
      : [
          {
            code: 'WITHOUT_EFFECT' as const,
            path: ['input', key],
            message: 'is kept and changes nothing, since the node is no lighthouse: set isLighthouse, or leave it out',
          },
        ],
  )

function notReached({ sharedConfigVersion }: Cluster, address: string): ChangeWarning[] {
  const path = ['input', field]
  // An uploaded configuration may set the address that Nebula listens on.
  if (address.includes(':') && sharedConfigVersion === null) {
    const message =
      'is IPv6, and Nebula listens on IPv4 alone unless it is told otherwise: upload a config.yml with listen.host "::", or give an IPv4 address'
    return [{ code: 'LIGHTHOUSE_IPV6', path, message }]
  }
  if (!isOfSite(address)) return []
  const message = `${address} is reached only by machines of the same site: unless all nodes are there, give the address that the others see`
  return [{ code: 'LIGHTHOUSE_NOT_PUBLIC', path, message }]
}

async function sharedAddress(facts: ClusterFacts, node: NodeFacts): Promise<ChangeWarning[]> {
  const { lighthousePort } = await facts.cluster()
  const portOf = (one: NodeFacts) => one.lighthousePort ?? lighthousePort
  const same = (await facts.lighthouses()).filter(
    (one) => one.id !== node.id && one.lighthousePublicIp === node.lighthousePublicIp && portOf(one) === portOf(node),
  )
  if (same.length === 0) return []
  const message = `${several(same.map(({ name }) => name))} has the same address and port, where one machine alone can answer: give this one another lighthousePort`
  return [{ code: 'LIGHTHOUSE_TWICE', path: ['input', field], message }]
}

async function behindRoutes(facts: ClusterFacts, address: string): Promise<ChangeWarning[]> {
  const { nodes } = await facts.gateways()
  const place = intervalOf(address)
  const behind = nodes.filter(({ routes }) =>
    routes.some((route) => !isDefaultRoute(route) && meet(intervalOf(route), place)),
  )
  if (behind.length === 0) return []
  const message = `${address} lies within a route of ${several(behind.map(({ name }) => name))}: nodes would look for the lighthouse through the overlay, which they cannot enter without it. Change the route or the address`
  return [{ code: 'LIGHTHOUSE_BEHIND_ROUTE', path: ['input', field], message }]
}

/** A relay without an address that other nodes learn. */
export const relayWarnings = ({
  isLighthouse,
  lighthousePublicIp,
  isRelay,
}: NodeFacts & { isRelay: boolean }): ChangeWarning[] =>
  !isRelay || (isLighthouse && lighthousePublicIp !== null && !isOfSite(lighthousePublicIp))
    ? []
    : [
        {
          code: 'RELAY_NOT_PUBLIC',
          path: ['input', 'isRelay'],
          message:
            'Orrery knows no public address of this node, and a relay is of use only where every node reaches it directly: make it a lighthouse with its public address too, or see to it that nothing stands before it',
        },
      ]

/**
 * Nodes that cannot find each other. An uploaded configuration may name its own lighthouses: then the warning is given
 * only for a change that removes the last one.
 * @param wasLighthouse whether the change removed a lighthouse
 */
export async function noLighthouse(
  facts: ClusterFacts,
  path: readonly string[],
  { wasLighthouse = false }: { readonly wasLighthouse?: boolean } = {},
): Promise<ChangeWarning[]> {
  const { sharedConfigVersion } = await facts.cluster()
  if (sharedConfigVersion !== null && !wasLighthouse) return []
  if ((await facts.lighthouses()).length > 0 || !(await facts.hasPeers())) return []
  const own = sharedConfigVersion === null ? '' : ', unless the uploaded configuration names one'
  const message = `no node of the cluster is a lighthouse, so that the nodes do not find each other${own}: make one with a public address a lighthouse`
  return [{ code: 'NO_LIGHTHOUSE', path, message }]
}

/** A request for a lighthouse by Orrery, which runs none. */
export const providedLighthouse = ({
  provideLighthouse,
}: {
  provideLighthouse?: boolean | null | undefined
}): ChangeWarning[] =>
  provideLighthouse === true
    ? [
        {
          code: 'WITHOUT_EFFECT',
          path: ['input', 'provideLighthouse'],
          message:
            'is kept for whoever operates the control plane, and starts no lighthouse by itself: make a node with a public address a lighthouse',
        },
      ]
    : []
