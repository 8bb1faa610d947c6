import type { Logger } from '../../base/log.ts'
import { deepMerge, settingAt, type Settings } from '../../nebula/merge.ts'
import { parseCaCertificates, parseCertificates, type CaCertificate } from '../../pki/certificate.ts'
import { PkiError } from '../../pki/errors.ts'
import type { ClusterFolder } from '../enrollment-state.ts'
import { sayError } from '../errors.ts'
import { writeGeneration, type Generation } from './generation.ts'

/** The part of a version that says who is no longer let in. */
export type Revoking = Pick<Generation, 'config' | 'ca'>

/**
 * What ran before, with the revocations of a newer version: the fingerprints of its blocklist are added, and the CAs
 * that it no longer trusts are removed, unless one of them signed the machine's own certificate: the machine would be
 * alone. A version may be rolled back because of its settings; the certificates that it revoked stay revoked.
 * @returns null when nothing more is revoked
 */
export function withRevocations(before: Generation, newer: Revoking): Omit<Generation, 'name'> | null {
  const { version, certificate } = before
  const blocked = blocklistOf(before.config)
  const known = new Set(blocked)
  const added = blocklistOf(newer.config).filter((one) => !known.has(one))
  const ca = stillTrusted(before, newer.ca)
  if (added.length === 0 && ca === before.ca) return null
  const config = deepMerge(before.config, { pki: { blocklist: [...blocked, ...added] } })
  return { version, config, ca, certificate }
}

/** The fallback from a version that does not run: what ran before, with that version's revocations, on the disk. */
export async function wayBack(
  folder: ClusterFolder,
  before: Generation,
  newer: Revoking,
  log: Logger,
): Promise<Generation> {
  const draft = withRevocations(before, newer)
  if (draft === null) return before
  try {
    return await writeGeneration(folder, draft)
  } catch (error) {
    // Keeping something running comes first; `sayRevoked` reports the failure.
    log.error({ reason: sayError(error) }, 'what the version revokes cannot be written to the disk')
    return before
  }
}

/**
 * For the report of a version that does not run: says whether its revocations are in force all the same.
 * @param before what ran before it
 * @param running what runs instead of it
 */
export function sayRevoked(before: Generation, newer: Revoking, running: Generation): string {
  if (withRevocations(before, newer) === null) return ''
  return withRevocations(running, newer) === null
    ? '; what it revokes is in force'
    : '; what it revokes is not in force either'
}

/** The entries of the list that Nebula could read as fingerprints. */
function blocklistOf(config: Settings): string[] {
  const list: unknown = settingAt(config, ['pki', 'blocklist'])
  const isFingerprint = (one: unknown): one is string => typeof one === 'string' && /^[0-9a-f]{64}$/i.test(one)
  return Array.isArray(list) ? list.filter(isFingerprint) : []
}

/**
 * The previous CAs without those that are no longer trusted; all of them where the machine itself needs one of those.
 */
function stillTrusted({ ca, certificate }: Generation, newer: string): string {
  const trusted = new Set<string>(casIn(newer).map(({ fingerprint }) => fingerprint))
  const all = casIn(ca)
  const rest = all.filter(({ fingerprint }) => trusted.has(fingerprint))
  const known = new Set<string>(rest.map(({ fingerprint }) => fingerprint))
  const isNeeded = parseCertificates(certificate).some((one) => one.isCa || !known.has(one.issuer))
  return isNeeded || rest.length === all.length ? ca : rest.map(({ pem }) => pem).join('')
}

/** Empty where the file holds no CA: such a file is broken and revokes nothing. */
function casIn(pem: string): CaCertificate[] {
  try {
    return parseCaCertificates(pem)
  } catch (error) {
    if (error instanceof PkiError) return []
    throw error
  }
}
