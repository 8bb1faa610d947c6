import { createHash } from 'node:crypto'

import { version1 } from './certificate-v1.ts'
import { version2 } from './certificate-v2.ts'
import { PkiError } from './errors.ts'
import { malformed, type CertificateFields, type CertificateFormat } from './format.ts'
import { nodePublicKey, type NodePublicKey } from './keys.ts'
import { readPem, readPemBlock, writePem, type PemBlock } from './encoding/pem.ts'
import { signingPublicKey, type SigningPublicKey } from './signing-key.ts'

declare const kind: unique symbol

/**
 * Nebula's name for a certificate, 64 lower-case hex digits: a node's certificate names its issuer by it, and an entry
 * of `pki.blocklist` is one.
 */
export type Fingerprint = string & { readonly [kind]: 'certificate fingerprint' }

/** 1: every Nebula, IPv4. 2: Nebula ≥ 1.10, IPv6 and several addresses too. */
export type CertificateVersion = 1 | 2

interface SignedCertificate extends CertificateFields {
  readonly version: CertificateVersion
  readonly fingerprint: Fingerprint
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array
  /** The certificate as Nebula reads it, one PEM block. */
  readonly pem: string
}

/** A CA's own certificate: self-signed, with the limits of what it may sign. */
export interface CaCertificate extends SignedCertificate {
  readonly isCa: true
  readonly issuer: null
  readonly publicKey: SigningPublicKey
}

/** A node's certificate: the addresses, routes and groups of its key. */
export interface NodeCertificate extends SignedCertificate {
  readonly isCa: false
  readonly issuer: Fingerprint
  readonly publicKey: NodePublicKey
}

export type Certificate = CaCertificate | NodeCertificate

const formats: readonly CertificateFormat[] = [version1, version2]

/**
 * Reads one certificate of any kind and version.
 * @throws PkiError when the text is not exactly one block, or the block not a certificate encoded as Nebula does
 */
export const parseCertificate = (pem: string): Certificate => fromBlock(readPemBlock(pem, 'certificate'))

/**
 * Reads the certificates of a file that may hold several, as Nebula's `pki.ca` and `pki.cert` may.
 * @throws PkiError also when there is none
 */
export function parseCertificates(pem: string): Certificate[] {
  const blocks = readPem(pem, 'certificate')
  if (blocks.length === 0) throw new PkiError('certificate', 'holds no PEM block "NEBULA CERTIFICATE"')
  return blocks.map(fromBlock)
}

/** A certificate's origin; a CA's names no issuer. */
export type Origin = Pick<Certificate, 'version' | 'issuer'>

/**
 * Who signed the certificates of a file, and in which format: for certificates that were checked when they were signed
 * or imported, such as those in the database. Nothing else is checked: a fifth of the work.
 * @throws PkiError when the text holds no certificates
 */
export const originsOf = (pem: string): Origin[] =>
  readPem(pem, 'certificate').map((block) => {
    const format = formatOfBlock(block)
    const { issuer } = format.decode(block.bytes).fields
    return { version: format.version, issuer: issuer === null ? null : requireFingerprint(issuer) }
  })

/**
 * Reads one CA certificate.
 * @throws PkiError
 */
export const parseCaCertificate = (pem: string): CaCertificate => requireCa(parseCertificate(pem))

/**
 * Reads CA certificates: what a cluster trusts, two while its CA is being rotated.
 * @throws PkiError
 */
export const parseCaCertificates = (pem: string): CaCertificate[] => parseCertificates(pem).map(requireCa)

/**
 * Makes a certificate from fields: the signer gets the bytes that the CA signs. For functions that sign, which check
 * the fields first.
 */
export function issue(
  version: CertificateVersion,
  fields: CertificateFields,
  signer: (bytes: Uint8Array) => Uint8Array,
): Certificate {
  const format = formatOf(version)
  const details = format.encodeDetails(fields)
  return assemble(format, fields, details, signer(format.toBeSigned(details, fields.publicKey)))
}

/** The bytes of a certificate that its CA signed. */
export function toBeSigned({ version, ...fields }: Certificate): Uint8Array {
  const format = formatOf(version)
  return format.toBeSigned(format.encodeDetails(fields), fields.publicKey)
}

function assemble(
  format: CertificateFormat,
  fields: CertificateFields,
  details: Uint8Array,
  signature: Uint8Array,
): Certificate {
  const bytes = format.encode(details, fields.publicKey, signature)
  const fingerprinted = format.fingerprinted(details, fields.publicKey, signature)
  const fingerprint = createHash('sha256').update(fingerprinted).digest('hex') as Fingerprint
  const pem = writePem({ banner: format.banner, bytes })
  const common = { ...fields, version: format.version, signature, fingerprint, pem }
  if (fields.isCa) {
    if (fields.issuer !== null) throw malformed('a CA that another CA signed does not exist in Nebula')
    return { ...common, isCa: true, issuer: null, publicKey: signingPublicKey(fields.publicKey) }
  }
  const publicKey = nodePublicKey(fields.publicKey, 'certificate')
  return { ...common, isCa: false, issuer: requireFingerprint(fields.issuer), publicKey }
}

function formatOf(version: CertificateVersion): CertificateFormat {
  const format = formats.find((candidate) => candidate.version === version)
  if (!format) throw malformed(`version ${version} is not known`)
  return format
}

function formatOfBlock({ banner }: PemBlock): CertificateFormat {
  const format = formats.find((candidate) => candidate.banner === banner)
  if (format) return format
  const isKey = banner.includes('PRIVATE KEY') ? 'a private key stands where a certificate belongs: ' : ''
  throw new PkiError(
    'certificate',
    `${isKey}"${banner}" is neither of ${formats.map((one) => `"${one.banner}"`).join(', ')}`,
  )
}

function fromBlock(block: PemBlock): Certificate {
  const { bytes } = block
  const format = formatOfBlock(block)
  const { fields, signature } = format.decode(bytes)
  if (signature.length !== 64) throw malformed(`its signature has ${signature.length} bytes, Ed25519's have 64`)
  if (fields.notAfter < fields.notBefore) throw malformed('it ends before it begins')
  if (!fields.isCa && fields.networks.length === 0) throw malformed('it gives its node no address')
  const details = format.encodeDetails(fields)
  // Nebula computes the fingerprint and checks the signature over what it decoded and encoded again. Where that differs
  // from the input, one certificate would have two fingerprints, and blocking one would not block the other.
  if (Buffer.compare(format.encode(details, fields.publicKey, signature), bytes) !== 0) {
    throw malformed('it is not encoded as Nebula encodes it')
  }
  return assemble(format, fields, details, signature)
}

function requireCa(certificate: Certificate): CaCertificate {
  if (certificate.isCa) return certificate
  throw new PkiError('certificate', `of "${certificate.name}" is a node's, a CA's is wanted`)
}

function requireFingerprint(issuer: string | null): Fingerprint {
  if (issuer === null) throw malformed('it names no issuer')
  if (issuer.length !== 64) throw malformed('its issuer is not a SHA-256')
  return issuer as Fingerprint
}
