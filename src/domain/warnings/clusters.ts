import type { Scope } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'
import type { Firewall } from '../clusters/firewall.ts'
import { endingCa, outlivedCa, unsignedGroups } from './ca.ts'
import type { ClusterFacts } from './facts.ts'
import { firewallWarnings } from './firewall.ts'
import { noLighthouse, providedLighthouse } from './lighthouses.ts'
import { everybodysGroup } from './names.ts'
import { intervalOf, meet, publicNetwork } from './networks.ts'
import { several, type ChangeWarning } from './warning.ts'

/** Clusters of the tenant that a new one is compared with. */
const mostClusters = 1000

/** What is unlikely of a cluster that was created. */
export const newClusterWarnings = async (scope: Scope, cluster: Cluster): Promise<ChangeWarning[]> => [
  ...publicNetwork(cluster.networkCidr, ['input', 'networkCidr']),
  ...(await sameNetwork(scope, cluster)),
  ...providedLighthouse(cluster),
  ...outlivedCa(cluster, ['input', 'certificateLifetimeDays']),
  ...everybodysGroup(cluster.enrollGroups as string[], ['input', 'enrollGroups']),
  ...endingCa(cluster.pkiCaCert, ['input', 'caLifetimeDays']),
]

/** Another cluster of the same tenant with addresses of this one: of other tenants' nobody hears. */
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

/** What is unlikely of the lighthouse settings that a cluster was given. */
export const clusterLighthouseWarnings = async (
  facts: ClusterFacts,
  input: { readonly provideLighthouse?: boolean | null | undefined },
): Promise<ChangeWarning[]> => [...providedLighthouse(input), ...(await noLighthouse(facts, ['input', 'clusterId']))]

/** What is unlikely of a cluster that is published as it is. */
export const publishedWarnings = (facts: ClusterFacts): Promise<ChangeWarning[]> =>
  noLighthouse(facts, ['input', 'clusterId'])

/** What is unlikely of the firewall that a cluster was given. */
export const clusterFirewallWarnings = async (facts: ClusterFacts): Promise<ChangeWarning[]> =>
  firewallWarnings(facts, await firewallOf(facts), { at: ['input', 'firewall'] })

/** What is unlikely of a configuration that was uploaded, or taken back into force. */
export const configurationWarnings = async (facts: ClusterFacts, at: readonly string[]): Promise<ChangeWarning[]> =>
  firewallWarnings(facts, await firewallOf(facts), { at, isWhole: true })

/** What is unlikely of a CA that a cluster was given. */
export async function importedCaWarnings(facts: ClusterFacts): Promise<ChangeWarning[]> {
  const cluster = await facts.cluster()
  const path = ['input', 'caCertificate']
  return [
    ...endingCa(cluster.pkiCaCert, path),
    ...outlivedCa(cluster, path),
    ...unsignedGroups(cluster.pkiCaCert, cluster, path),
  ]
}

/** What is unlikely of the CA that a rotation leads to. */
export async function rotatedCaWarnings(facts: ClusterFacts): Promise<ChangeWarning[]> {
  const { pkiCaCert, pkiOtherCaCert, certificateLifetimeDays } = await facts.cluster()
  // In place of a CA that has ended, the new one signs at once.
  const next = pkiOtherCaCert ?? pkiCaCert
  const path = ['input', 'caLifetimeDays']
  return [...endingCa(next, path), ...outlivedCa({ pkiCaCert: next, certificateLifetimeDays }, path)]
}

/** What is unlikely of the CA that stays when a rotation is given up. */
export const keptCaWarnings = async (facts: ClusterFacts): Promise<ChangeWarning[]> =>
  endingCa((await facts.cluster()).pkiCaCert, ['input', 'clusterId'])

/** What is unlikely of the certificates' settings. */
export const certificateWarnings = async (facts: ClusterFacts): Promise<ChangeWarning[]> =>
  outlivedCa(await facts.cluster(), ['input', 'certificateLifetimeDays'])

/** What is unlikely of the groups that machines may ask for. */
export const enrollmentWarnings = ({ enrollGroups }: Cluster): ChangeWarning[] =>
  everybodysGroup(enrollGroups as string[], ['input', 'enrollGroups'])

// Only domain/clusters/firewall.ts writes the column, in this shape.
const firewallOf = async (facts: ClusterFacts): Promise<Firewall> =>
  (await facts.cluster()).firewall as unknown as Firewall
