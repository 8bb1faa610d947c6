import { intervalOf, meet } from '../../base/networks.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'
import { clusterFirewall } from '../clusters/firewall.ts'
import { endingCa, outlivedCa, unsignedGroups } from './ca.ts'
import type { ClusterFacts } from './facts.ts'
import { firewallWarnings } from './firewall.ts'
import { noLighthouse, providedLighthouse } from './lighthouses.ts'
import { everybodysGroup } from './names.ts'
import { publicNetwork } from './networks.ts'
import { several, type ChangeWarning } from './warning.ts'

/** The maximum number of the tenant's clusters that a new one is compared with. */
const mostClusters = 1000

/** Warnings about a new cluster. */
export const newClusterWarnings = async (scope: Scope, cluster: Cluster): Promise<ChangeWarning[]> => [
  ...publicNetwork(cluster.networkCidr, ['input', 'networkCidr']),
  ...(await sameNetwork(scope, cluster)),
  ...providedLighthouse(cluster),
  ...outlivedCa(cluster, ['input', 'certificateLifetimeDays']),
  ...everybodysGroup(cluster.enrollGroups as string[], ['input', 'enrollGroups']),
  ...endingCa(cluster.pkiCaCert, ['input', 'caLifetimeDays']),
]

/** Another cluster of the same tenant with overlapping addresses; those of other tenants stay hidden. */
async function sameNetwork(scope: Scope, { id, tenantId, networkCidr }: Cluster): Promise<ChangeWarning[]> {
  const clusters = await scope.db.cluster.findMany({
    where: { tenantId, id: { not: id } },
    orderBy: { name: 'asc' },
    take: mostClusters,
    select: { name: true, networkCidr: true },
  })
  const network = intervalOf(networkCidr)
  const same = clusters.filter((one) => meet(intervalOf(one.networkCidr), network)).map(({ name }) => name)
  if (same.length === 0) return []
  const message = `${networkCidr} shares addresses with the network of ${several(same)}: no machine can be in both clusters, and the network stays as it is. Take another one where a machine may have to`
  return [{ code: 'NETWORK_TWICE', path: ['input', 'networkCidr'], message }]
}

/** Warnings about new lighthouse settings of a cluster. */
export const clusterLighthouseWarnings = async (
  facts: ClusterFacts,
  input: { readonly provideLighthouse?: boolean | null | undefined },
): Promise<ChangeWarning[]> => [...providedLighthouse(input), ...(await noLighthouse(facts, ['input', 'clusterId']))]

/** Warnings about a cluster that is published unchanged. */
export const publishedWarnings = (facts: ClusterFacts): Promise<ChangeWarning[]> =>
  noLighthouse(facts, ['input', 'clusterId'])

/** Warnings about a new firewall of a cluster. */
export const clusterFirewallWarnings = async (facts: ClusterFacts): Promise<ChangeWarning[]> =>
  firewallWarnings(facts, clusterFirewall(await facts.cluster()), { at: ['input', 'firewall'] })

/** Warnings about a configuration that was uploaded, or put back into force. */
export const configurationWarnings = async (facts: ClusterFacts, at: readonly string[]): Promise<ChangeWarning[]> =>
  firewallWarnings(facts, clusterFirewall(await facts.cluster()), { at, isWhole: true })

/** Warnings about an imported CA. */
export async function importedCaWarnings(facts: ClusterFacts): Promise<ChangeWarning[]> {
  const cluster = await facts.cluster()
  const path = ['input', 'caCertificate']
  return [
    ...endingCa(cluster.pkiCaCert, path),
    ...outlivedCa(cluster, path),
    ...unsignedGroups(cluster.pkiCaCert, cluster, path),
  ]
}

/** Warnings about the CA that a rotation leads to. */
export async function rotatedCaWarnings(facts: ClusterFacts): Promise<ChangeWarning[]> {
  const { pkiCaCert, pkiOtherCaCert, certificateLifetimeDays } = await facts.cluster()
  // If the old CA has expired, the new one signs immediately.
  const next = pkiOtherCaCert ?? pkiCaCert
  const path = ['input', 'caLifetimeDays']
  return [...endingCa(next, path), ...outlivedCa({ pkiCaCert: next, certificateLifetimeDays }, path)]
}

/** Warnings about the CA that stays after a rotation was aborted. */
export const keptCaWarnings = async (facts: ClusterFacts): Promise<ChangeWarning[]> =>
  endingCa((await facts.cluster()).pkiCaCert, ['input', 'clusterId'])

/** Warnings about the settings of certificates. */
export const certificateWarnings = async (facts: ClusterFacts): Promise<ChangeWarning[]> =>
  outlivedCa(await facts.cluster(), ['input', 'certificateLifetimeDays'])

/** Warnings about the groups that machines may request. */
export const enrollmentWarnings = ({ enrollGroups }: Cluster): ChangeWarning[] =>
  everybodysGroup(enrollGroups as string[], ['input', 'enrollGroups'])
