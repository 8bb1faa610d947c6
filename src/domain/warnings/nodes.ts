import type { Node } from '../../db/client/types.ts'
import { clusterFirewall, type Firewall } from '../clusters/firewall.ts'
import { groupsOf } from '../signing/node-signing.ts'
import { routesOf } from '../nodes/routes.ts'
import type { ClusterFacts, NodeFacts } from './facts.ts'
import { heldByNobody } from './groups.ts'
import { lighthouseWarnings, noLighthouse, relayWarnings } from './lighthouses.ts'
import { everybodysGroup, everybodysName } from './names.ts'
import { routeWarnings } from './routes.ts'
import { mostWarnings, several, type ChangeWarning } from './warning.ts'

/** The largest packet that fits into Ethernet's 1500 bytes, with Nebula's 60 bytes of IPv4, UDP, header and tag. */
const largestMtu = 1440

/** Warnings about a new node. */
export async function newNodeWarnings(cluster: ClusterFacts, node: Node): Promise<ChangeWarning[]> {
  return [
    ...everybodysName(node.name, ['input', 'name']),
    ...mtuWarnings(node),
    ...everybodysGroup(groupsOf(node), ['input', 'groups']),
    ...(await lighthouseWarnings(cluster, factsOf(node))),
    ...relayWarnings({ ...factsOf(node), isRelay: node.isRelay }),
    ...(await noLighthouse(cluster, ['input', 'isLighthouse'])),
    ...(await routeWarnings(cluster, node)),
  ].slice(0, mostWarnings)
}

/** Warnings about an enrolled machine. */
export const enrolledNodeWarnings = (node: Node): ChangeWarning[] => [
  ...everybodysName(node.name, ['input', 'name']),
  ...everybodysGroup(groupsOf(node), ['input', 'groups']),
]

export const mtuWarnings = ({ mtu }: Pick<Node, 'mtu'>): ChangeWarning[] =>
  mtu <= largestMtu
    ? []
    : [
        {
          code: 'MTU_TOO_LARGE',
          path: ['input', 'mtu'],
          message: `with more than ${largestMtu} bytes, Nebula’s packets do not fit into the 1500 of Ethernet and of most of the Internet, and are lost or cut: take at most ${largestMtu}, or 1300 to be safe, unless every way between the nodes has larger frames`,
        },
      ]

/** Warnings about new lighthouse settings of a node. */
export const nodeLighthouseWarnings = async (cluster: ClusterFacts, node: Node): Promise<ChangeWarning[]> => [
  ...(await lighthouseWarnings(cluster, factsOf(node))),
  ...(node.isLighthouse ? [] : await noLighthouse(cluster, ['input', 'isLighthouse'], { wasLighthouse: true })),
]

/** Warnings about a new relay setting of a node. */
export const nodeRelayWarnings = (node: Node): ChangeWarning[] =>
  relayWarnings({ ...factsOf(node), isRelay: node.isRelay })

/** Warnings about new groups of a node. @param former its previous groups */
export async function groupWarnings(
  cluster: ClusterFacts,
  node: Node,
  former: readonly string[],
): Promise<ChangeWarning[]> {
  const groups = groupsOf(node)
  const gone = former.filter((group) => !groups.includes(group))
  return [...everybodysGroup(groups, ['input', 'groups']), ...(await lostGroups(cluster, gone, ['input', 'groups']))]
}

/** Warnings about a new name of a node. @param former its previous name */
export async function renamedNodeWarnings(cluster: ClusterFacts, node: Node, former: string): Promise<ChangeWarning[]> {
  const path = ['input', 'name']
  return [
    ...everybodysName(node.name, path),
    ...(node.name === former ? [] : lostName(clusterFirewall(await cluster.cluster()), former, path)),
  ]
}

/** Warnings about the removal of a node. */
export async function deletedNodeWarnings(cluster: ClusterFacts, node: Node): Promise<ChangeWarning[]> {
  const path = ['input', 'nodeId']
  return [
    ...(node.isLighthouse ? await noLighthouse(cluster, path, { wasLighthouse: true }) : []),
    ...(await lostGroups(cluster, groupsOf(node), path)),
    ...lostName(clusterFirewall(await cluster.cluster()), node.name, path),
  ]
}

/** Rules for groups that a change removed from the last node with them. */
export async function lostGroups(
  cluster: ClusterFacts,
  gone: readonly string[],
  path: readonly string[],
): Promise<ChangeWarning[]> {
  const { inbound, outbound } = gone.length === 0 ? noRules : clusterFirewall(await cluster.cluster())
  const ruled = new Set([...inbound, ...outbound].flatMap(({ group, groups = [] }) => [group, ...groups]))
  const named = gone.filter((group) => group !== 'any' && ruled.has(group))
  const asked = named.map((group) => ({ wanted: [group], group }))
  const lost = (await heldByNobody(cluster, asked)).map(({ group }) => group)
  if (lost.length === 0) return []
  const message = `no node has ${several(lost)} any more, and the firewall has rules for it: give it to another node, or delete the rules`
  return [{ code: 'UNKNOWN_GROUP', path, message }]
}

export function lostName({ inbound, outbound }: Firewall, name: string, path: readonly string[]): ChangeWarning[] {
  if (name === 'any' || ![...inbound, ...outbound].some(({ host }) => host === name)) return []
  const message = `the firewall has rules for host "${name}", which no node is any more: delete them, or give another node the name`
  return [{ code: 'UNKNOWN_HOST', path, message }]
}

const noRules: Firewall = { inbound: [], outbound: [] }

const factsOf = (node: Node): NodeFacts => ({ ...node, routes: routesOf(node) })
