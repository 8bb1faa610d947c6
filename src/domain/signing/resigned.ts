import { inPieces } from '../../base/pieces.ts'
import type { ResignedNode } from '../../db/writes/certificates.ts'
import type { Db, Tx } from '../../db/client/types.ts'
import { superseding } from './node-certificate.ts'

/* For work in a tenant's scope; the publisher, which works in all scopes, uses `certificates.replace`. */

/** Certificates per transaction: about 10 ms of work. */
const chunk = 25

/**
 * Writes the certificates that were signed again, each in place of the one that it was made for. They are written
 * before their bundle, since one that is in no row could not be revoked.
 * @returns false when one was replaced in the meantime: the bundle differs from the row and must be compiled again
 */
export async function keepResigned(db: Pick<Db, '$transaction'>, resigned: readonly ResignedNode[]): Promise<boolean> {
  for await (const some of inPieces(resigned, chunk)) {
    if (!(await db.$transaction((tx) => writeResigned(tx, some)))) return false
  }
  return true
}

export async function writeResigned(tx: Tx, resigned: readonly ResignedNode[]): Promise<boolean> {
  const ids = resigned.map(({ nodeId }) => nodeId)
  const select = { id: true, certificate: true, supersededCertificates: true } as const
  const present = await tx.node.findMany({ where: { id: { in: ids } }, select })
  const before = new Map(present.map((node) => [node.id, superseding(node)]))
  let all = true
  for (const { nodeId, previousFingerprint, certificate, fingerprint, expiresAt } of resigned) {
    const identity = { certificate, certificateFingerprint: fingerprint, certificateExpiresAt: expiresAt }
    const { count } = await tx.node.updateMany({
      where: { id: nodeId, certificateFingerprint: previousFingerprint },
      data: { ...identity, supersededCertificates: before.get(nodeId) ?? {} },
    })
    all &&= count === 1
  }
  return all
}
