import type { CertificateVersion } from './certificate.ts'
import { PkiError, type PkiSubject } from './errors.ts'
import { toSeconds, type CertificateFields } from './format.ts'
import { comparePrefixes, isMasked, isUnspecified, parsePrefix, type Prefix } from './prefix.ts'

/** Bytes of UTF-8; what Nebula allows names in version 2 (cert/cert_v2.go, MaxNameLength). */
const maximumNameLength = 253

/**
 * The rules that Nebula's formats set to what is signed (slackhq/nebula cert/cert_v1.go and cert_v2.go, `validate`), in
 * 1.6 and in 1.11.
 * @throws PkiError
 */
export function checkFields(version: CertificateVersion, fields: CertificateFields): void {
  checkText(fields.name, 'name')
  for (const group of fields.groups) checkText(group, 'groups')
  checkTimes(fields)
  const networks = parseAll(fields.networks, 'networks')
  const unsafeNetworks = parseAll(fields.unsafeNetworks, 'unsafeNetworks')
  if (version === 1) requireIpv4([...networks, ...unsafeNetworks])
  if (!fields.isCa) checkNode(version, networks, unsafeNetworks)
}

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
  const sorted = parsed.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix))
  const twice = sorted.find(({ prefix }, index) => {
    const before = sorted[index - 1]
    return before && comparePrefixes(before.prefix, prefix) === 0
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
