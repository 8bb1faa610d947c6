import { toBeSigned, type CaCertificate, type NodeCertificate } from './certificate.ts'
import { PkiError, type PkiSubject } from './errors.ts'
import type { CertificateFields } from './format.ts'
import { containsPrefix, parsePrefix } from './encoding/prefix.ts'
import { isSignedBy } from './signing-key.ts'

/**
 * Checks a CA's certificate as Nebula does when it reads `pki.ca`: it is self-signed, and valid at that time.
 * @throws PkiError
 */
export function verifyCa(ca: CaCertificate, at: Date): void {
  if (!isSignedBy(toBeSigned(ca), ca.signature, ca.publicKey)) {
    throw new PkiError('certificate', `of the CA "${ca.name}" is not signed by its own key`)
  }
  requireValid(ca, `of the CA "${ca.name}"`, at)
}

/**
 * Checks a node's certificate as another node does in a handshake (slackhq/nebula cert/ca_pool.go), except for the
 * blocklist: one of the CAs signed it, both are valid at that time, and it stays within the CA's limits.
 * @returns the CA that signed it
 * @throws PkiError
 */
export function verifyNode(certificate: NodeCertificate, cas: readonly CaCertificate[], at: Date): CaCertificate {
  const ca = cas.find(({ fingerprint }) => fingerprint === certificate.issuer)
  if (!ca) {
    throw new PkiError('certificate', `of "${certificate.name}" is signed by ${certificate.issuer}, no CA given here`)
  }
  verifyCa(ca, at)
  requireValid(certificate, `of "${certificate.name}"`, at)
  if (!isSignedBy(toBeSigned(certificate), certificate.signature, ca.publicKey)) {
    throw new PkiError('certificate', `of "${certificate.name}" is not signed by the CA that it names: "${ca.name}"`)
  }
  requireWithin(ca, certificate)
  return ca
}

/**
 * The limits that a CA's certificate sets for what it signs: its own validity, and its networks, routes and groups
 * where it names any. Nebula refuses a certificate that exceeds one.
 * @throws PkiError
 */
export function requireWithin(ca: CaCertificate, fields: CertificateFields): void {
  if (fields.notBefore < ca.notBefore) {
    throw new PkiError('validity', `begins before the CA's own: ${ca.notBefore.toISOString()}`)
  }
  if (fields.notAfter > ca.notAfter) {
    throw new PkiError('validity', `ends after the CA's own: ${ca.notAfter.toISOString()}`)
  }
  const group = fields.groups.find((name) => !ca.groups.includes(name))
  if (ca.groups.length > 0 && group !== undefined) {
    throw new PkiError('groups', `"${group}" is not one of the CA's: ${ca.groups.join(', ')}`)
  }
  requireInside(fields.networks, ca.networks, 'networks')
  requireInside(fields.unsafeNetworks, ca.unsafeNetworks, 'unsafeNetworks')
}

function requireInside(wanted: readonly string[], allowed: readonly string[], subject: PkiSubject): void {
  if (allowed.length === 0) return
  const outers = allowed.map((text) => parsePrefix(text, 'certificate'))
  for (const text of wanted) {
    const inner = parsePrefix(text, subject)
    if (!outers.some((outer) => containsPrefix(outer, inner))) {
      throw new PkiError(subject, `${text} is outside of what the CA allows: ${allowed.join(', ')}`)
    }
  }
}

function requireValid(certificate: CertificateFields, whose: string, at: Date): void {
  if (at > certificate.notAfter) {
    throw new PkiError('certificate', `${whose} expired at ${certificate.notAfter.toISOString()}`)
  }
  if (at < certificate.notBefore) {
    throw new PkiError('certificate', `${whose} is not valid before ${certificate.notBefore.toISOString()}`)
  }
}
