import { ConflictError, ValidationError } from '../../base/errors.ts'
import type { Cluster, Node } from '../../db/client/types.ts'
import type { CertificateAuthority } from '../../pki/ca.ts'
import { parseCaCertificate, parseCertificates } from '../../pki/certificate.ts'
import { PkiError } from '../../pki/errors.ts'
import { parsePublicKey, type NodePublicKey } from '../../pki/keys.ts'
import { validityFrom } from '../../pki/sign.ts'
import { requireWithin } from '../../pki/verify.ts'
import { certificateVersionOf } from '../pki/cluster-ca.ts'
import { contentOf, signNodeFile, type Certified } from './node-file.ts'
import type { Revoked } from './revocation.ts'

/** The columns of a node that a signature sets. */
export interface Identity {
  /** PEM, as signNodeFile returns it. */
  readonly certificate: string
  readonly certificateFingerprint: string
  readonly certificateExpiresAt: Date
}

type SigningCluster = Pick<Cluster, 'networkCidr' | 'certificateVersion' | 'certificateLifetimeDays'>

/**
 * Signs a node's certificate, for the cluster's lifetime within the limits of the CA.
 * @throws ValidationError at the input that exceeds the CA's limits, ConflictError when the CA has expired
 */
export function signIdentity(
  ca: CertificateAuthority,
  cluster: SigningCluster,
  node: Certified & { readonly publicKey: NodePublicKey },
): Identity {
  return forCaller(() => {
    const validity = validityFrom(ca, new Date(), cluster.certificateLifetimeDays * 86_400)
    const terms = { version: certificateVersionOf(cluster), networkCidr: cluster.networkCidr, ...validity }
    const { pem: certificate, fingerprint, notAfter } = signNodeFile(ca, terms, node)
    return { certificate, certificateFingerprint: fingerprint, certificateExpiresAt: notAfter }
  })
}

/**
 * Refuses values that the cluster's CA would not sign once the node sends its key.
 * @throws ValidationError
 */
export function assertSignable(cluster: SigningCluster & Pick<Cluster, 'pkiCaCert'>, node: Certified): void {
  const { pkiCaCert } = cluster
  if (pkiCaCert === null) return
  forCaller(() => {
    const { notBefore, notAfter, fingerprint, publicKey, ...ca } = parseCaCertificate(pkiCaCert)
    const fields = {
      ...contentOf(cluster.networkCidr, node),
      notBefore,
      notAfter,
      isCa: false,
      issuer: fingerprint,
      publicKey,
    }
    requireWithin({ ...ca, notBefore, notAfter, fingerprint, publicKey }, fields)
  })
}

/**
 * Reads the public key of a machine.
 * @throws ValidationError at `input.publicKey` for a private key, another kind or length, or a point of low order
 */
export function readPublicKey(pem: string): NodePublicKey {
  try {
    return parsePublicKey(pem)
  } catch (error) {
    if (!(error instanceof PkiError)) throw error
    throw ValidationError.at(['input', 'publicKey'], 'UNUSABLE', error.message)
  }
}

type Certificates = Pick<Node, 'certificate' | 'supersededCertificates'>

/**
 * All certificates of a node that are still valid: the entries that a blocklist needs when the node is revoked.
 * Superseded certificates are included, since a stored copy could still be used.
 */
export const certificatesOf = ({ certificate, supersededCertificates }: Certificates): Revoked[] => [
  ...Object.entries(supersededOf(supersededCertificates)).map(([fingerprint, at]) => ({
    fingerprint,
    expiresAt: new Date(at),
  })),
  ...(certificate === null
    ? []
    : parseCertificates(certificate).map(({ fingerprint, notAfter }) => ({ fingerprint, expiresAt: notAfter }))),
]

/**
 * The next value of `nodes.superseded_certificates` when the current certificate is replaced; expired entries are
 * removed.
 */
export function superseding(node: Certificates, now = new Date()): Record<string, string> {
  const valid = certificatesOf(node).filter(({ expiresAt }) => expiresAt > now)
  return Object.fromEntries(valid.map(({ fingerprint, expiresAt }) => [fingerprint, expiresAt.toISOString()]))
}

/**
 * Prevents a node that was blocked after it was recognised from getting a certificate.
 * @throws ConflictError
 */
export function assertNotBlocked({ name, blockedAt }: Pick<Node, 'name' | 'blockedAt'>): void {
  if (blockedAt === null) return
  throw new ConflictError(`"${name}" is blocked: an admin of the cluster has to unblock it first`)
}

/** The maximum number of valid certificates of one node: each of them may end up on every node's blocklist. */
const mostCertificates = 256

/**
 * Prevents a node that renews too often from filling its cluster's list of revoked certificates.
 * @throws ConflictError
 */
export function assertFewCertificates(node: Certificates & Pick<Node, 'name'>): void {
  const valid = certificatesOf(node).filter(({ expiresAt }) => expiresAt > new Date())
  if (valid.length < mostCertificates) return
  throw new ConflictError(
    `"${node.name}" was given ${valid.length} certificates that have not expired; the next one can be signed when one has`,
  )
}

/** Only superseding() writes the column. */
const supersededOf = (column: Node['supersededCertificates']) => column as Record<string, string>

/**
 * For a node that sends only its key: a refusal of the CA does not concern an input.
 * @throws ConflictError
 */
export function forNode<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    throw new ConflictError(`The cluster's CA does not allow what the node is: ${error.message}`)
  }
}

/** The input that each of the PKI's errors refers to. */
const inputOf: Partial<Record<PkiError['subject'], string>> = {
  name: 'name',
  networks: 'overlayIp',
  unsafeNetworks: 'routes',
  groups: 'groups',
}

function forCaller<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof PkiError)) throw error
    const field = inputOf[error.subject]
    if (field !== undefined) throw ValidationError.at(['input', field], 'NOT_ALLOWED', error.message)
    if (error.subject === 'validity') throw new ConflictError(`No certificate can be signed: ${error.message}`)
    throw error
  }
}
