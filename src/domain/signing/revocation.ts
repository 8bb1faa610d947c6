import type { Prisma } from '../../db/client/types.ts'
import type { Change } from '../clusters/cluster-change.ts'

/** A certificate that must not be trusted any more, until it ends by itself. */
export interface Revoked {
  readonly fingerprint: string
  readonly expiresAt: Date
}

/**
 * Puts certificates on the cluster's list, from which every node's `pki.blocklist` is made, and takes those off that
 * have expired: an expired certificate is refused without it. Call it once in a change.
 */
export function revoke({ cluster, set }: Change, revoked: readonly Revoked[]): void {
  if (revoked.length === 0) return
  // Only this function writes the column.
  const known = cluster.pkiCrlExpiries as Record<string, string>
  const expiries = { ...known, ...Object.fromEntries(revoked.map((one) => [one.fingerprint, expiry(one)])) }
  const listed = [...revokedFingerprints(cluster), ...revoked.map(({ fingerprint }) => fingerprint)]
  const now = new Date().toISOString()
  // An entry without a time was made before times were kept: it stays.
  const kept = [...new Set(listed)].filter((fingerprint) => (expiries[fingerprint] ?? now) >= now)
  set({
    pkiCrl: kept.length === 0 ? null : kept.join('\n'),
    pkiCrlExpiries: Object.fromEntries(
      kept.flatMap((fingerprint) => {
        const at = expiries[fingerprint]
        return at === undefined ? [] : [[fingerprint, at]]
      }),
    ) satisfies Prisma.InputJsonObject,
  })
}

/** The fingerprints of `clusters.pki_crl`, one a line. */
export const revokedFingerprints = ({ pkiCrl }: { readonly pkiCrl: string | null }): string[] =>
  (pkiCrl ?? '').split('\n').filter((line) => line !== '')

const expiry = ({ expiresAt }: Revoked): string => expiresAt.toISOString()
