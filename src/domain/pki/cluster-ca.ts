import { WeightedCache } from '../../base/limits/weighted-cache.ts'
import type { Cluster } from '../../db/client/types.ts'
import { generateBundleSigningKey } from '../../nebula/bundle/signing.ts'
import { createCa, exportCaKey, type CertificateAuthority } from '../../pki/ca.ts'
import { parseCaCertificate, type CaCertificate, type CertificateVersion } from '../../pki/certificate.ts'
import { PkiError } from '../../pki/errors.ts'
import { ClosedKeysError } from './closed-keys.ts'
import type { Change } from '../clusters/cluster-change.ts'
import { day } from './ends.ts'
import type { Vault } from './vault.ts'

/** How long a CA is valid that nobody said more about, in days. */
export const caLifetimeDays = 3650

/** Of the cluster's CA its certificate and its sealed key, as the row holds them. */
export interface CaColumns {
  readonly pkiCaCert: string
  readonly pkiCaKey: string
}

/** Of the bundle-signing key the sealed private half and the public one. */
interface BundleKeyColumns {
  readonly bundleSigningKey: string
  readonly bundlePublicKey: string
}

/** What a new CA is for. */
export interface CaPurpose {
  readonly id: string
  readonly name: string
  readonly networkCidr: string
  readonly certificateVersion: number
}

/** How long a new CA is valid, and which groups it may sign; none means any. */
export interface CaLimits {
  readonly lifetimeDays: number
  readonly groups: readonly string[]
}

/** The CAs that the nodes of the cluster trust, PEM: the one that signs, then the other one of a running rotation. */
export const trustedCas = ({ pkiCaCert, pkiOtherCaCert }: Pick<Cluster, 'pkiCaCert' | 'pkiOtherCaCert'>): string[] =>
  [pkiCaCert, pkiOtherCaCert].filter((pem) => pem !== null)

/** What of a CA's certificate is asked for again and again. */
type CaDetails = Pick<CaCertificate, 'fingerprint' | 'notBefore' | 'notAfter'>

/** Reading a certificate takes a tenth of a millisecond, and a page may show those of five hundred clusters. */
const knownCas = new WeightedCache<CaDetails>(2 * 1024 * 1024)

export function caDetails(pem: string): CaDetails {
  const known = knownCas.get(pem)
  if (known) return known
  const { fingerprint, notBefore, notAfter } = parseCaCertificate(pem)
  const details = { fingerprint, notBefore, notAfter }
  knownCas.set(pem, details, pem.length)
  return details
}

/** Whether every CA has ended that the nodes of a cluster trust: then none lets another in. False where there is none. */
export function areTrustedCasEnded(cluster: Pick<Cluster, 'pkiCaCert' | 'pkiOtherCaCert'>, now: Date): boolean {
  const cas = trustedCas(cluster)
  return cas.length > 0 && cas.every((pem) => caDetails(pem).notAfter <= now)
}

/** The format that the cluster's certificates are signed in; the row holds 1 or 2. */
export const certificateVersionOf = ({ certificateVersion }: { certificateVersion: number }): CertificateVersion =>
  certificateVersion === 2 ? 2 : 1

/**
 * The CA that signs the cluster's certificates, in every phase of a rotation.
 * @throws ClosedKeysError when its key does not open; Error when the cluster has none (withPki makes one)
 */
export function signerOf(
  vault: Vault,
  { id, pkiCaCert, pkiCaKey }: Pick<Cluster, 'id' | 'pkiCaCert' | 'pkiCaKey'>,
): CertificateAuthority {
  if (pkiCaCert === null || pkiCaKey === null) throw new Error(`cluster ${id} has no CA`)
  return opened(id, () => vault.openCa(pkiCaCert, pkiCaKey, id))
}

/**
 * The private half of the key that signs the cluster's manifests, as nebula/bundle/signing.ts takes it.
 * @throws ClosedKeysError when it does not open; Error when the cluster has none (withPki makes one)
 */
export function bundleSigningKeyOf(vault: Vault, { id, bundleSigningKey }: Pick<Cluster, 'id' | 'bundleSigningKey'>) {
  if (bundleSigningKey === null) throw new Error(`cluster ${id} has no bundle-signing key`)
  return opened(id, () => vault.unseal(bundleSigningKey, id))
}

/** A new CA for a cluster, its key sealed. The nodes' addresses must be in its network; routes are not limited. */
export function newCa(
  vault: Vault,
  { id, name, networkCidr, certificateVersion }: CaPurpose,
  { lifetimeDays, groups }: CaLimits,
): CaColumns {
  // A moment ago, for nodes whose clock is slow.
  const notBefore = new Date(Date.now() - 300_000)
  const ca = createCa({
    version: certificateVersionOf({ certificateVersion }),
    name: cutToBytes(name, 253),
    notBefore,
    notAfter: new Date(notBefore.getTime() + lifetimeDays * day),
    networks: [networkCidr],
    unsafeNetworks: [],
    groups,
  })
  return { pkiCaCert: ca.certificate.pem, pkiCaKey: vault.seal(exportCaKey(ca), id) }
}

/** A new key pair for signing the cluster's manifests, the private half sealed. */
export function newBundleKey(vault: Vault, { id }: { id: string }): BundleKeyColumns {
  const { privateKey, publicKey } = generateBundleSigningKey()
  return { bundleSigningKey: vault.seal(privateKey, id), bundlePublicKey: publicKey }
}

/** Nothing, or a new key in place of one that no secret opens: nodes take its bundles when they have enrolled again. */
export const bundleKeyThatOpens = (
  vault: Vault,
  { id, bundleSigningKey }: Pick<Cluster, 'id' | 'bundleSigningKey'>,
): Partial<BundleKeyColumns> =>
  bundleSigningKey !== null && vault.opens(bundleSigningKey, id) ? {} : newBundleKey(vault, { id })

/** A change of a cluster that has its CA and its bundle-signing key. */
export interface PkiChange extends Change {
  readonly cluster: Cluster & CaColumns & BundleKeyColumns
}

/** Gives a cluster that was made before clusters had them its CA and its bundle-signing key, as part of the change. */
export function withPki<C extends Change>(vault: Vault, change: C): C & PkiChange {
  const { cluster, set } = change
  const { pkiCaCert, pkiCaKey, bundleSigningKey, bundlePublicKey } = cluster
  const missing = {
    ...(pkiCaCert === null || pkiCaKey === null
      ? newCa(vault, cluster, { lifetimeDays: caLifetimeDays, groups: [] })
      : { pkiCaCert, pkiCaKey }),
    ...(bundleSigningKey === null || bundlePublicKey === null
      ? newBundleKey(vault, cluster)
      : { bundleSigningKey, bundlePublicKey }),
  }
  if (missing.pkiCaKey !== pkiCaKey || missing.bundleSigningKey !== bundleSigningKey) set(missing)
  return { ...change, cluster: { ...cluster, ...missing } }
}

/** The longest beginning of a text that has at most so many bytes of UTF-8. */
function cutToBytes(text: string, most: number): string {
  let cut = ''
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > most) break
    cut += character
  }
  return cut
}

function opened<T>(id: string, open: () => T): T {
  try {
    return open()
  } catch (cause) {
    if (cause instanceof PkiError && cause.subject === 'sealed key') throw new ClosedKeysError(id, { cause })
    throw cause
  }
}
