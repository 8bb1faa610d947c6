import { parseCaCertificates, parseCertificates, type Certificate } from '../pki/certificate.ts'
import { parseNodeKeyPair } from '../pki/keys.ts'

/** The part of a certificate's life after which it is renewed. */
const renewAfter = 2 / 3
/** By how much of its life that varies from machine to machine, so that not all renew at once. */
const jitter = 0.05

/** The certificate of a file that counts: the last block is the one of the newer format. */
const present = (pem: string): Certificate | undefined => parseCertificates(pem).at(-1)

/**
 * Of several certificates the one to run on: signed last, for this key, by a CA that is trusted.
 * @param candidates PEM; of two that were signed at the same moment, the first counts
 */
export function newestCertificate(candidates: readonly string[], ca: string, privateKey: string): string | null {
  const { publicKey } = parseNodeKeyPair(privateKey)
  const trusted = new Set<string>(parseCaCertificates(ca).map(({ fingerprint }) => fingerprint))
  let newest: { pem: string; signedAt: number } | null = null
  for (const pem of candidates) {
    const certificate = present(pem)
    if (certificate === undefined || certificate.isCa || !trusted.has(certificate.issuer)) continue
    if (Buffer.compare(certificate.publicKey, publicKey) !== 0) continue
    const signedAt = certificate.notBefore.getTime()
    if (newest === null || signedAt > newest.signedAt) newest = { pem, signedAt }
  }
  return newest?.pem ?? null
}

/** When a certificate is to be renewed: after two thirds of its life, at the latest when it has expired. */
export function renewalTime(pem: string, random = Math.random()): Date {
  const certificate = present(pem)
  if (certificate === undefined) return new Date()
  const from = certificate.notBefore.getTime()
  const life = certificate.notAfter.getTime() - from
  return new Date(from + life * (renewAfter + jitter * random))
}

/** When the certificate ends; for people. */
export const expiryOf = (pem: string): Date | null => present(pem)?.notAfter ?? null
