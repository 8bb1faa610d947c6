import { parseCaCertificates, parseCertificates, type Certificate } from '../pki/certificate.ts'
import { PkiError } from '../pki/errors.ts'
import { parseNodeKeyPair, type NodePublicKey } from '../pki/keys.ts'
import { containsPrefix, parsePrefix } from '../pki/encoding/prefix.ts'
import { verifyNode } from '../pki/verify.ts'
import type { Identity } from './server/answers.ts'
import { RefusedError } from './errors.ts'

/** The part of a certificate's life after which it is renewed. */
const renewAfter = 2 / 3
/** The share of a certificate's life by which that varies from machine to machine, so that not all renew at once. */
const jitter = 0.05

/** The certificate of a file that is used: the last block, which is of the newer format. */
const present = (pem: string): Certificate | undefined => parseCertificates(pem).at(-1)

/**
 * Chooses the certificate to run on: the one that was signed last, for this key, by a trusted CA.
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

/** What a certificate has to be for. */
export interface Wanted {
  readonly clusterId: string
  /** Null for a machine that is not a node yet. */
  readonly nodeId: string | null
  readonly publicKey: NodePublicKey
}

/**
 * Checks what comes with a machine's certificate before any of it is kept. It must be for the requested cluster and
 * node. The certificate must be for this machine's key, have an address in the cluster's network, and be signed by the
 * CA that comes with it. The code that runs on it checks whether it is valid at this moment: a clock may be wrong.
 * @throws RefusedError that says what is wrong
 */
export function assertOurs(given: Identity, { clusterId, nodeId, publicKey }: Wanted): void {
  const refuse = (why: string, cause?: unknown) =>
    new RefusedError(`what the control plane gave is not this machine's: ${why}`, { cause })
  if (given.clusterId !== clusterId) throw refuse(`it is of cluster ${given.clusterId}, not ${clusterId}`)
  if (nodeId !== null && given.node.id !== nodeId) throw refuse(`it is of node ${given.node.id}, not ${nodeId}`)
  try {
    const network = parsePrefix(given.networkCidr, 'networks')
    const cas = parseCaCertificates(given.caCertificate)
    for (const certificate of parseCertificates(given.certificate)) {
      if (certificate.isCa) throw refuse('the certificate is a CA’s')
      if (Buffer.compare(certificate.publicKey, publicKey) !== 0) throw refuse('the certificate is for another key')
      verifyNode(certificate, cas, certificate.notBefore)
      const addresses = certificate.networks.map((address) => parsePrefix(address, 'networks'))
      if (!addresses.some((address) => containsPrefix(network, address))) {
        throw refuse(`the certificate has no address in ${given.networkCidr}`)
      }
    }
  } catch (error) {
    if (error instanceof PkiError) throw refuse('the certificate cannot be used', error)
    throw error
  }
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

/** The name of the node that a certificate is for; null where it cannot be read. */
export function nameIn(pem: string): string | null {
  try {
    return present(pem)?.name ?? null
  } catch (error) {
    if (error instanceof PkiError) return null
    throw error
  }
}
