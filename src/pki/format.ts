import { PkiError } from './errors.ts'

/** The fields of a certificate, in either format. */
export interface CertificateFields {
  /** The node's name, or the CA's. */
  readonly name: string
  /** The node's addresses with their networks' prefix lengths (`10.42.0.5/16`); for a CA, those that it may assign. */
  readonly networks: readonly string[]
  /** The networks behind the node that it routes to; for a CA, those that it may let nodes route to. */
  readonly unsafeNetworks: readonly string[]
  /** The groups that firewall rules name; for a CA, those that it may assign. */
  readonly groups: readonly string[]
  /** First second at which the certificate is valid. */
  readonly notBefore: Date
  /** Last second at which it is. */
  readonly notAfter: Date
  readonly isCa: boolean
  /** Fingerprint of the CA, 64 hex digits; null in a CA's own certificate. */
  readonly issuer: string | null
  /** 32 bytes: X25519 of a node, Ed25519 of a CA. */
  readonly publicKey: Uint8Array
}

/**
 * One of Nebula's two ways to write a certificate. A certificate is made in two steps because the signature covers the
 * written details.
 */
export interface CertificateFormat {
  readonly version: 1 | 2
  /** The label of the PEM block. */
  readonly banner: string
  /** Encodes everything but the signature (and, in version 2, the public key). */
  encodeDetails(fields: CertificateFields): Uint8Array
  /** The bytes that the CA signs. */
  toBeSigned(details: Uint8Array, publicKey: Uint8Array): Uint8Array
  /** The whole certificate. */
  encode(details: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): Uint8Array
  /** The bytes whose SHA-256 is the fingerprint. */
  fingerprinted(details: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): Uint8Array
  /** Reads a certificate; malformed bytes throw a PkiError. */
  decode(bytes: Uint8Array): { fields: CertificateFields; signature: Uint8Array }
}

/** The error for a certificate that cannot be decoded. */
export const malformed = (problem: string): PkiError =>
  new PkiError('certificate', `is not a Nebula certificate: ${problem}`)

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new PkiError('certificate', 'is not a Nebula certificate: a text is not UTF-8', { cause })
  }
}

/** Seconds since 1970, as both formats hold times. */
export const toSeconds = (time: Date): number => Math.floor(time.getTime() / 1000)

export function fromSeconds(seconds: number): Date {
  const time = new Date(seconds * 1000)
  if (Number.isNaN(time.getTime())) throw malformed('a time is beyond every calendar')
  return time
}
