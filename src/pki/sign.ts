import type { CertificateAuthority } from './ca.ts'
import { issue, type CertificateVersion, type NodeCertificate } from './certificate.ts'
import { PkiError } from './errors.ts'
import type { NodePublicKey } from './keys.ts'
import { canonicalFields } from './rules.ts'
import { signBytes } from './signing-key.ts'
import { requireWithin } from './verify.ts'

/** The fields of a node's certificate. Times are cut to whole seconds. */
export interface NodeCertificateRequest {
  readonly version: CertificateVersion
  readonly name: string
  /** The node's addresses, each with the length of the overlay network's prefix: `10.42.0.5/16`. Version 1: one, IPv4. */
  readonly networks: readonly string[]
  /** The networks behind the node (its routes), without host bits. Version 1: IPv4. */
  readonly unsafeNetworks: readonly string[]
  readonly groups: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
  readonly publicKey: NodePublicKey
}

/**
 * Signs a node's certificate, byte for byte as nebula-cert does. A CA of version 1 may sign both versions. Synchronous,
 * about 0.1 ms: sign many on a worker thread, to which the CA can be posted as it is.
 * @throws PkiError when the request breaks a rule of the format or exceeds the CA's limits
 */
export function signNode(ca: CertificateAuthority, { version, ...request }: NodeCertificateRequest): NodeCertificate {
  const issuer = ca.certificate.fingerprint
  const fields = canonicalFields(version, { ...request, isCa: false, issuer })
  requireWithin(ca.certificate, fields)
  const certificate = issue(version, fields, (bytes) => signBytes(bytes, ca.key))
  if (!certificate.isCa) return certificate
  throw new Error('a certificate that was signed for a node became a CA')
}

/**
 * The validity of a certificate that is signed now: it begins a moment ago, so that nodes with slow clocks accept it,
 * lasts for `lifetime`, and never exceeds the CA's own.
 * @param lifetime seconds
 * @throws PkiError when the CA has expired or is not valid yet
 */
export function validityFrom(
  ca: CertificateAuthority,
  now: Date,
  lifetime: number,
): { notBefore: Date; notAfter: Date } {
  const { notBefore, notAfter, name } = ca.certificate
  if (now > notAfter) throw new PkiError('validity', `the CA "${name}" expired at ${notAfter.toISOString()}`)
  if (now < notBefore) throw new PkiError('validity', `the CA "${name}" is not valid before ${notBefore.toISOString()}`)
  const clockSkew = 300
  const [from, to] = [now.getTime() - clockSkew * 1000, now.getTime() + lifetime * 1000]
  return {
    notBefore: new Date(Math.max(from, notBefore.getTime())),
    notAfter: new Date(Math.min(to, notAfter.getTime())),
  }
}
