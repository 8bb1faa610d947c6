import type { Scope } from '../../auth/scope.ts'
import type { Node } from '../../db/client/types.ts'
import { areTrustedCasEnded } from './cluster-ca.ts'
import { statusAt, type CertificateStatus } from './ends.ts'

const fields = ['certificateLifetimeDays', 'pkiCaCert', 'pkiOtherCaCert'] as const

/**
 * The status of a node's certificate over time. For the nodes of a page, the cluster is read once.
 * @returns null when the node has no certificate
 */
export async function nodeCertificateStatus(
  scope: Scope,
  { clusterId, certificateExpiresAt }: Pick<Node, 'clusterId' | 'certificateExpiresAt'>,
  now = new Date(),
): Promise<CertificateStatus | null> {
  if (certificateExpiresAt === null) return null
  const cluster = await scope.read.row('clusters', 'id', clusterId, fields)
  // The cluster was deleted in the meantime: the certificate is of no use.
  if (cluster === null || areTrustedCasEnded(cluster, now)) return 'ENDED'
  return statusAt(certificateExpiresAt, cluster.certificateLifetimeDays, now)
}
