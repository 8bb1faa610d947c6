import { issue, parseCaCertificate, type CaCertificate, type CertificateVersion } from './certificate.ts'
import { decryptSigningKey, encryptedKeyBanner } from './encrypted-key.ts'
import { PkiError } from './errors.ts'
import { readPemBlock, writePem, type PemBlock } from './encoding/pem.ts'
import { canonicalFields } from './rules.ts'
import {
  generateSigningKey,
  publicHalf,
  signBytes,
  signingKeyBytes,
  signingKeyFromBytes,
  type SigningKey,
} from './signing-key.ts'
import { verifyCa } from './verify.ts'

/** A CA that can sign: its certificate and the key that belongs to it. */
export interface CertificateAuthority {
  readonly certificate: CaCertificate
  readonly key: SigningKey
}

/** The fields of a new CA's certificate; an empty list of limits means no limit. Times are cut to whole seconds. */
export interface NewCa {
  readonly version: CertificateVersion
  readonly name: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** Networks that the nodes' addresses must be in, such as `10.42.0.0/16`. */
  readonly networks: readonly string[]
  /** Networks that the nodes' routes must be in. */
  readonly unsafeNetworks: readonly string[]
  /** Groups that nodes may be given. */
  readonly groups: readonly string[]
}

const keyBanner = 'NEBULA ED25519 PRIVATE KEY'

/**
 * Makes a CA with a fresh key.
 * @throws PkiError when a field breaks a rule of the format
 */
export const createCa = (fields: NewCa): CertificateAuthority => selfSign(generateSigningKey(), fields)

/**
 * Imports a CA that nebula-cert made: `ca.crt` and `ca.key`, the key encrypted with a passphrase or not.
 * @param passphrase of an encrypted key; null when the key is not encrypted
 * @param at when the CA must be valid
 * @throws PkiError when the certificate is not a valid CA's, or the key does not belong to it
 */
export async function importCa(
  certificatePem: string,
  keyPem: string,
  passphrase: string | null,
  at: Date = new Date(),
): Promise<CertificateAuthority> {
  const certificate = parseCaCertificate(certificatePem)
  verifyCa(certificate, at)
  return matched(certificate, await readKey(readPemBlock(keyPem, 'key'), passphrase))
}

/**
 * Puts a stored CA together: its certificate and the result of `exportCaKey`. The caller checks whether it is still
 * valid.
 * @throws PkiError when the two do not belong together
 */
export const openCa = (certificatePem: string, keyPem: string): CertificateAuthority =>
  matched(parseCaCertificate(certificatePem), readPlainKey(readPemBlock(keyPem, 'key')))

/** The CA's private key as nebula-cert writes it, in plain text: seal it before it is stored or sent. */
export const exportCaKey = (ca: CertificateAuthority): string =>
  writePem({ banner: keyBanner, bytes: signingKeyBytes(ca.key) })

function selfSign(key: SigningKey, { version, ...ca }: NewCa): CertificateAuthority {
  const fields = canonicalFields(version, { ...ca, isCa: true, issuer: null, publicKey: publicHalf(key) })
  const certificate = issue(version, fields, (bytes) => signBytes(bytes, key))
  if (certificate.isCa) return { certificate, key }
  throw new Error("a certificate that was signed for a CA became a node's")
}

async function readKey(block: PemBlock, passphrase: string | null): Promise<SigningKey> {
  if (block.banner === encryptedKeyBanner) {
    if (passphrase === null) throw new PkiError('passphrase', 'is missing: the key is encrypted')
    return signingKeyFromBytes(await decryptSigningKey(block.bytes, passphrase))
  }
  const key = readPlainKey(block)
  if (passphrase !== null) throw new PkiError('passphrase', 'was given, but the key is not encrypted')
  return key
}

function readPlainKey({ banner, bytes }: PemBlock): SigningKey {
  if (banner === keyBanner) return signingKeyFromBytes(bytes)
  if (banner.includes('P256')) {
    throw new PkiError('key', `is a "${banner}": the curve P256 is not supported, only Ed25519 and Curve25519 are`)
  }
  if (banner.startsWith('NEBULA X25519')) throw new PkiError('key', `is a node's ("${banner}"), the CA's is wanted`)
  throw new PkiError('key', `is a "${banner}", a "${keyBanner}" is wanted`)
}

function matched(certificate: CaCertificate, key: SigningKey): CertificateAuthority {
  if (Buffer.compare(publicHalf(key), certificate.publicKey) === 0) return { certificate, key }
  throw new PkiError('key', `is not the one that belongs to the certificate of "${certificate.name}"`)
}
