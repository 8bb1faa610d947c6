import type { Prisma } from '../../db/client/types.ts'
import type { Change } from '../clusters/cluster-change.ts'

/** A certificate that must not be trusted until it expires. */
export interface Revoked {
  readonly fingerprint: string
  readonly expiresAt: Date
}

/**
 * Adds certificates to the cluster's list, the source of every node's `pki.blocklist`, and removes those that have
 * expired, since nodes refuse them anyway. Call it once in a change.
 */
export function revoke({ cluster, set }: Change, revoked: readonly Revoked[]): void {
  if (revoked.length === 0) return
  // Only this function writes the column.
  const known = cluster.pkiCrlExpiries as Record<string, string>
  const expiries = new Map(Object.entries(known))
  for (const one of revoked) expiries.set(one.fingerprint, expiry(one))
  const listed = [...revokedFingerprints(cluster), ...revoked.map(({ fingerprint }) => fingerprint)]
  const now = new Date().toISOString()
  // An entry without a time is older than the times: it stays.
  const kept = [...new Set(listed)].filter((fingerprint) => (expiries.get(fingerprint) ?? now) >= now)
  set({
    pkiCrl: kept.length === 0 ? null : kept.join('\n'),
    pkiCrlExpiries: Object.fromEntries(
      kept.flatMap((fingerprint) => {
        const at = expiries.get(fingerprint)
        return at === undefined ? [] : [[fingerprint, at]]
      }),
    ) satisfies Prisma.InputJsonObject,
  })
}

/** The fingerprints of `clusters.pki_crl`, one per line. */
export const revokedFingerprints = ({ pkiCrl }: { readonly pkiCrl: string | null }): string[] =>
  (pkiCrl ?? '').split('\n').filter((line) => line !== '')

const expiry = ({ expiresAt }: Revoked): string => expiresAt.toISOString()
