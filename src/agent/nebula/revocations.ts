import type { Logger } from '../../base/log.ts'
import { deepMerge, settingAt, type Settings } from '../../nebula/merge.ts'
import { parseCaCertificates, parseCertificates, type CaCertificate } from '../../pki/certificate.ts'
import { PkiError } from '../../pki/errors.ts'
import type { ClusterFolder } from '../enrolment-state.ts'
import { sayError } from '../errors.ts'
import { writeGeneration, type Generation } from './generation.ts'

/** What of a version says who is not let in any more. */
export type Revoking = Pick<Generation, 'config' | 'ca'>

/**
 * What ran before, with what a newer version revokes: the fingerprints of its blocklist are added, and the CAs that it
 * does not trust any more are taken away, unless the machine's own certificate is by one of them: it would be alone.
 * A version may be taken back because of its settings; whom it shut out stays out.
 * @returns null when nothing is to be added
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

/** The way back from a version that does not run: what ran before, on the disk, with what that version revokes. */
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
    // That something runs comes first; `sayRevoked` tells of it.
    log.error({ reason: sayError(error) }, 'what the version revokes cannot be written to the disk')
    return before
  }
}

/**
 * For the report of a version that does not run: whether what it revokes is in force all the same.
 * @param before what ran before it
 * @param running what runs instead of it
 */
export function sayRevoked(before: Generation, newer: Revoking, running: Generation): string {
  if (withRevocations(before, newer) === null) return ''
  return withRevocations(running, newer) === null
    ? '; what it revokes is in force'
    : '; what it revokes is not in force either'
}

/** Of the list, what Nebula could read as fingerprints. */
function blocklistOf(config: Settings): string[] {
  const list: unknown = settingAt(config, ['pki', 'blocklist'])
  const isFingerprint = (one: unknown): one is string => typeof one === 'string' && /^[0-9a-f]{64}$/i.test(one)
  return Array.isArray(list) ? list.filter(isFingerprint) : []
}

/** The CAs of before without those that are trusted no more; all of them where the machine needs one of those itself. */
function stillTrusted({ ca, certificate }: Generation, newer: string): string {
  const trusted = new Set<string>(casIn(newer).map(({ fingerprint }) => fingerprint))
  const all = casIn(ca)
  const rest = all.filter(({ fingerprint }) => trusted.has(fingerprint))
  const known = new Set<string>(rest.map(({ fingerprint }) => fingerprint))
  const isNeeded = parseCertificates(certificate).some((one) => one.isCa || !known.has(one.issuer))
  return isNeeded || rest.length === all.length ? ca : rest.map(({ pem }) => pem).join('')
}

/** None where the file holds none: it revokes nothing then, it is broken. */
function casIn(pem: string): CaCertificate[] {
  try {
    return parseCaCertificates(pem)
  } catch (error) {
    if (error instanceof PkiError) return []
    throw error
  }
}
