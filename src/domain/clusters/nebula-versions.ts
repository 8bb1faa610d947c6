import { ConflictError } from '../../base/errors.ts'
import type { Cluster } from '../../db/client/types.ts'
import { firstWithCertificates2, minimumNebulaFor, oldestNebula } from '../../nebula/version-hazards.ts'
import { isAtLeast } from '../../nebula/version.ts'
import type { Change } from './cluster-change.ts'
import { clusterFirewall, writeFirewall, type Firewall } from './firewall.ts'

/** The oldest Nebula that lets in no more than these rules allow. */
export const minimumForFirewall = (firewall: Firewall): string =>
  minimumNebulaFor({ firewall: writeFirewall(firewall) })

/**
 * Refuses a change while nodes run a Nebula that is too old for it, or never reported a version.
 * @param what needs the version: the start of a sentence, such as `Certificates of version 2 need`
 * @throws ConflictError with the names of five nodes
 */
export async function assertAllRun({ tx, cluster }: Change, minimum: string, what: string): Promise<void> {
  if (minimum === oldestNebula) return
  const where = { clusterId: cluster.id, certificate: { not: null } }
  const versions = await tx.node.groupBy({ by: ['nebulaVersion'], where })
  const old = versions
    .map(({ nebulaVersion }) => nebulaVersion)
    .filter((version) => version === null || !isAtLeast(version, minimum))
  if (old.length === 0) return
  const nodes = await tx.node.findMany({
    where: {
      ...where,
      OR: [{ nebulaVersion: { in: old.filter((one) => one !== null) } }, ...(old.includes(null) ? [unknown] : [])],
    },
    orderBy: { name: 'asc' },
    take: 6,
    select: { name: true, nebulaVersion: true },
  })
  const named = nodes.slice(0, 5).map(({ name, nebulaVersion }) => `"${name}" (${nebulaVersion ?? 'none reported'})`)
  throw new ConflictError(
    `${what} Nebula ${short(minimum)} on every node; these report another: ${named.join(', ')}` +
      (nodes.length > 5 ? ', and more' : ''),
  )
}

/** The message of `assertAllRun` for a change of the firewall. */
export const firewallNeeds = 'An older Nebula would let more in than this firewall says: it needs'

const unknown = { nebulaVersion: null }

/**
 * Refuses a machine whose Nebula cannot read the cluster's certificates, or would let in more than its firewall allows.
 * @param nebulaVersion null when the machine does not report it: its agent checks the bundle itself
 * @throws ConflictError
 */
export function assertReads(
  nebulaVersion: string | null,
  cluster: Pick<Cluster, 'certificateVersion' | 'firewall'>,
): void {
  if (nebulaVersion === null) return
  if (cluster.certificateVersion === 2 && !isAtLeast(nebulaVersion, firstWithCertificates2)) {
    throw new ConflictError(
      `Nebula ${nebulaVersion} cannot read the cluster's certificates of version 2: Nebula 1.10 or newer is needed`,
    )
  }
  const minimum = minimumForFirewall(clusterFirewall(cluster))
  if (isAtLeast(nebulaVersion, minimum)) return
  throw new ConflictError(
    `Nebula ${nebulaVersion} would let more in than the cluster's firewall says: Nebula ${short(minimum)} or newer is needed`,
  )
}

/** Shortens `1.9.0` to `1.9`. */
const short = (version: string): string => version.replace(/\.0$/, '')
