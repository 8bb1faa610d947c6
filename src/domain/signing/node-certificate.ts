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

/** The columns of a node that a signature fills. */
export interface Identity {
  /** PEM, as signNodeFile gives it. */
  readonly certificate: string
  readonly certificateFingerprint: string
  readonly certificateExpiresAt: Date
}

type SigningCluster = Pick<Cluster, 'networkCidr' | 'certificateVersion' | 'certificateLifetimeDays'>

/**
 * Signs a node's certificate, for as long as the cluster says and the CA allows.
 * @throws ValidationError at the input that oversteps the CA's limits, ConflictError when the CA has expired
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
 * Refuses what the cluster's CA will not sign once the node sends its key.
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
 * Reads the public key that a machine sent.
 * @throws ValidationError at `input.publicKey` for a private key, another kind or length, or a point of low order
 */
export function readPublicKey(pem: string): NodePublicKey {
  try {
    return parsePublicKey(pem)
  } catch (error) {
    if (!(error instanceof PkiError)) throw error
    throw ValidationError.at(['input', 'publicKey'], error.message)
  }
}

type Certificates = Pick<Node, 'certificate' | 'supersededCertificates'>

/**
 * Every certificate of a node that is valid still: what a blocklist must name when the node is revoked. Those before
 * the present one are among them: whoever kept one could go on with it.
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

/** `nodes.superseded_certificates` once the present certificate has been replaced; what has expired is let go. */
export function superseding(node: Certificates, now = new Date()): Record<string, string> {
  const valid = certificatesOf(node).filter(({ expiresAt }) => expiresAt > now)
  return Object.fromEntries(valid.map(({ fingerprint, expiresAt }) => [fingerprint, expiresAt.toISOString()]))
}

/** Certificates of one node that may be valid at a time: each of them may have to stand on every node's blocklist. */
const mostCertificates = 256

/**
 * Keeps a node that asks again and again from filling its cluster's list of revoked certificates.
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
 * For a node that sends its key and nothing else: what its CA refuses is no input's fault.
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

/** Which input each of the PKI's complaints is about. */
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
    if (field !== undefined) throw ValidationError.at(['input', field], error.message)
    if (error.subject === 'validity') throw new ConflictError(`No certificate can be signed: ${error.message}`)
    throw error
  }
}
