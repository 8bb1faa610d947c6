import type { Cluster } from '../../db/client/types.ts'
import { parseCaCertificate } from '../../pki/certificate.ts'
import { day } from '../pki/ends.ts'
import { several, type ChangeWarning } from './warning.ts'

/** A CA that is valid no longer than this should be replaced soon. */
const soonDays = 30

/** A date as messages show it. */
const dateOf = (date: Date): string => date.toISOString().slice(0, 10)

/** A CA that expires within 30 days: no certificate that it signed is valid after that. */
export function endingCa(pem: string | null, path: readonly string[], now = new Date()): ChangeWarning[] {
  if (pem === null) return []
  const { notAfter } = parseCaCertificate(pem)
  if (notAfter.getTime() - now.getTime() > soonDays * day) return []
  const message = `the CA ends on ${dateOf(notAfter)}, and every node’s certificate with it: give it a longer life, or rotate it before`
  return [{ code: 'CA_ENDS_SOON', path, message }]
}

/** Certificates with a longer lifetime than the CA that signs them: they are cut to its end. */
export function outlivedCa(
  { pkiCaCert, certificateLifetimeDays }: Pick<Cluster, 'pkiCaCert' | 'certificateLifetimeDays'>,
  path: readonly string[],
  now = new Date(),
): ChangeWarning[] {
  if (pkiCaCert === null) return []
  const { notAfter } = parseCaCertificate(pkiCaCert)
  if (now.getTime() + certificateLifetimeDays * day <= notAfter.getTime() + day) return []
  const message = `certificates are to be valid for ${certificateLifetimeDays} days, and end with the CA on ${dateOf(notAfter)}: let them live shorter than the CA does`
  return [{ code: 'CERTIFICATES_OUTLIVE_CA', path, message }]
}

/** Groups that machines may request but the CA does not sign: their enrollment is refused. */
export function unsignedGroups(
  pem: string | null,
  { enrollGroups }: Pick<Cluster, 'enrollGroups'>,
  path: readonly string[],
): ChangeWarning[] {
  const groups = pem === null ? [] : parseCaCertificate(pem).groups
  // Only the domain writes the column, as a list of texts.
  const unsigned = (enrollGroups as string[]).filter((group) => groups.length > 0 && !groups.includes(group))
  if (unsigned.length === 0) return []
  const message = `the CA may not sign ${several(unsigned)}, which machines may ask for when they enroll, and are refused then: take them out of the cluster’s enrollGroups`
  return [{ code: 'GROUP_NOT_SIGNED', path, message }]
}
