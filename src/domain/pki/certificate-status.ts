import type { Scope } from '../../auth/scope.ts'
import type { Node } from '../../db/client/types.ts'
import { areTrustedCasEnded } from './cluster-ca.ts'
import { statusAt, type CertificateStatus } from './ends.ts'

const fields = ['certificateLifetimeDays', 'pkiCaCert', 'pkiOtherCaCert'] as const

/**
 * What has become of a node's certificate as time goes. Of the nodes of a page, the cluster is looked up once.
 * @returns null where it has none
 */
export async function nodeCertificateStatus(
  scope: Scope,
  { clusterId, certificateExpiresAt }: Pick<Node, 'clusterId' | 'certificateExpiresAt'>,
  now = new Date(),
): Promise<CertificateStatus | null> {
  if (certificateExpiresAt === null) return null
  const cluster = await scope.rows.find('clusters', 'id', clusterId, fields)
  // Deleted meanwhile: then the certificate has nothing left to be good for.
  if (cluster === null || areTrustedCasEnded(cluster, now)) return 'ENDED'
  return statusAt(certificateExpiresAt, cluster.certificateLifetimeDays, now)
}
