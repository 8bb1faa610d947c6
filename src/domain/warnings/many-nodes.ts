import type { Node } from '../../db/client/types.ts'
import { clusterFirewall } from '../clusters/firewall.ts'
import { groupsOf } from '../signing/node-signing.ts'
import type { NodesOutcome } from '../nodes/many/change-nodes.ts'
import type { ClusterFacts } from './facts.ts'
import { noLighthouse } from './lighthouses.ts'
import { everybodysGroup } from './names.ts'
import { lostGroups, lostName, mtuWarnings, nodeRelayWarnings } from './nodes.ts'
import { mostWarnings, type ChangeWarning } from './warning.ts'

/** Warnings about new settings of many nodes. What is wrong with each of them is said once. */
export async function updatedNodesWarnings(
  facts: ClusterFacts,
  { nodes, former }: NodesOutcome,
  { hasMtu, isRelay }: { readonly hasMtu: boolean; readonly isRelay: boolean },
): Promise<ChangeWarning[]> {
  const [first] = nodes
  if (first === undefined) return []
  const now = groupsOfAll(nodes)
  const before = groupsOfAll(former)
  const gone = [...before].filter((group) => !now.has(group))
  const joined = [...now].filter((group) => !before.has(group))
  const path = ['input']
  return [
    ...(hasMtu ? at(['input', 'set', 'mtu'], mtuWarnings(first)) : []),
    ...(isRelay ? at(['input', 'set', 'isRelay'], nodes.flatMap(nodeRelayWarnings).slice(0, 1)) : []),
    ...at(path, everybodysGroup(joined, path)),
    ...(await lostGroups(facts, gone, path)),
  ].slice(0, mostWarnings)
}

/** Warnings about nodes that were deleted or blocked. */
export async function removedNodesWarnings(facts: ClusterFacts, nodes: readonly Node[]): Promise<ChangeWarning[]> {
  const path = ['input']
  const wasLighthouse = nodes.some(({ isLighthouse }) => isLighthouse)
  const firewall = clusterFirewall(await facts.cluster())
  return [
    ...(wasLighthouse ? await noLighthouse(facts, path, { wasLighthouse }) : []),
    ...(await lostGroups(facts, [...groupsOfAll(nodes)], path)),
    ...nodes.flatMap(({ name }) => lostName(firewall, name, path)),
  ].slice(0, mostWarnings)
}

const groupsOfAll = (nodes: readonly Node[]): ReadonlySet<string> => new Set(nodes.flatMap((node) => groupsOf(node)))

const at = (path: readonly string[], warnings: readonly ChangeWarning[]): ChangeWarning[] =>
  warnings.map((one) => ({ ...one, path }))
