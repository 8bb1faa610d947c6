import type { CertificateVersion } from './certificate.ts'
import { PkiError, type PkiSubject } from './errors.ts'
import { fromSeconds, toSeconds, type CertificateFields } from './format.ts'
import { comparePrefixes, formatPrefix, isMasked, isUnspecified, parsePrefix, type Prefix } from './encoding/prefix.ts'

/** Bytes of UTF-8; Nebula's limit for names in version 2 (cert/cert_v2.go, MaxNameLength). */
const maximumNameLength = 253

/**
 * Checks fields before they are signed against the rules of Nebula's formats, in 1.6 and in 1.11 (slackhq/nebula
 * cert/cert_v1.go and cert_v2.go, `validate`).
 * @returns the fields as the certificate will hold them: times in whole seconds, networks canonical, and sorted in
 * version 2
 * @throws PkiError
 */
export function canonicalFields(version: CertificateVersion, fields: CertificateFields): CertificateFields {
  checkText(fields.name, 'name')
  for (const group of fields.groups) checkText(group, 'groups')
  checkTimes(fields)
  const networks = parseAll(fields.networks, 'networks')
  const unsafeNetworks = parseAll(fields.unsafeNetworks, 'unsafeNetworks')
  if (version === 1) requireIpv4([...networks, ...unsafeNetworks])
  if (!fields.isCa) checkNode(version, networks, unsafeNetworks)
  return {
    ...fields,
    notBefore: fromSeconds(toSeconds(fields.notBefore)),
    notAfter: fromSeconds(toSeconds(fields.notAfter)),
    networks: formatAll(version, networks),
    unsafeNetworks: formatAll(version, unsafeNetworks),
  }
}

/** Version 2 requires sorted networks; version 1 leaves them as they are. */
const formatAll = (version: CertificateVersion, networks: readonly Parsed[]): string[] =>
  (version === 1 ? networks : networks.toSorted(byPrefix)).map(({ prefix }) => formatPrefix(prefix))

const byPrefix = (a: Parsed, b: Parsed): number => comparePrefixes(a.prefix, b.prefix)

function checkNode(version: CertificateVersion, networks: readonly Parsed[], unsafeNetworks: readonly Parsed[]): void {
  if (networks.length === 0) throw new PkiError('networks', 'a node needs an address')
  if (version === 1 && networks.length > 1) {
    throw new PkiError('networks', 'a certificate of version 1 holds one address')
  }
  const zero = networks.find(({ prefix }) => isUnspecified(prefix))
  if (zero) throw new PkiError('networks', `${zero.text} is no address that a node can have`)
  for (const { prefix, text } of unsafeNetworks) {
    if (!isMasked(prefix)) throw new PkiError('unsafeNetworks', `${text} has host bits set`)
    if (!networks.some((network) => network.prefix.address.length === prefix.address.length)) {
      throw new PkiError('unsafeNetworks', `${text} needs a node with an address of its kind`)
    }
  }
}

interface Parsed {
  readonly text: string
  readonly prefix: Prefix
}

function parseAll(texts: readonly string[], subject: PkiSubject): Parsed[] {
  const parsed = texts.map((text): Parsed => ({ text, prefix: parsePrefix(text, subject) }))
  const sorted = parsed.toSorted(byPrefix)
  const twice = sorted.find(({ prefix }, index) => {
    const before = sorted[index - 1]
    return before !== undefined && comparePrefixes(before.prefix, prefix) === 0
  })
  if (twice) throw new PkiError(subject, `${twice.text} stands there twice`)
  return parsed
}

function requireIpv4(networks: readonly Parsed[]): void {
  const ipv6 = networks.find(({ prefix }) => prefix.address.length !== 4)
  if (ipv6) throw new PkiError('networks', `${ipv6.text} is IPv6, which needs certificates of version 2`)
}

function checkText(text: string, subject: PkiSubject): void {
  if (/\p{Surrogate}/u.test(text)) throw new PkiError(subject, 'holds half of a surrogate pair')
  const length = Buffer.byteLength(text)
  if (length === 0 || length > maximumNameLength) {
    throw new PkiError(subject, `must have 1 to ${maximumNameLength} bytes of UTF-8, not ${length}`)
  }
}

function checkTimes({ notBefore, notAfter }: CertificateFields): void {
  const [from, to] = [toSeconds(notBefore), toSeconds(notAfter)]
  if (!(from >= 0 && to >= 0)) throw new PkiError('validity', 'must be two times after 1970')
  if (to < from) throw new PkiError('validity', 'ends before it begins')
}
