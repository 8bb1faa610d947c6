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

/** The default lifetime of a CA, in days. */
export const caLifetimeDays = 3650

/** The certificate and the sealed key of the cluster's CA, as the row stores them. */
export interface CaColumns {
  readonly pkiCaCert: string
  readonly pkiCaKey: string
}

/** The sealed private half and the public half of the bundle-signing key. */
interface BundleKeyColumns {
  readonly bundleSigningKey: string
  readonly bundlePublicKey: string
}

/** The cluster that a new CA is for. */
export interface CaPurpose {
  readonly id: string
  readonly name: string
  readonly networkCidr: string
  readonly certificateVersion: number
}

/** The lifetime of a new CA, and the groups it may sign; an empty list allows any. */
export interface CaLimits {
  readonly lifetimeDays: number
  readonly groups: readonly string[]
}

/** The CAs that the nodes of the cluster trust, PEM: the one that signs, then the other one of a running rotation. */
export const trustedCas = ({ pkiCaCert, pkiOtherCaCert }: Pick<Cluster, 'pkiCaCert' | 'pkiOtherCaCert'>): string[] =>
  [pkiCaCert, pkiOtherCaCert].filter((pem) => pem !== null)

/** The details of a CA's certificate that are read often. */
type CaDetails = Pick<CaCertificate, 'fingerprint' | 'notBefore' | 'notAfter'>

/** Cached: parsing a certificate takes a tenth of a millisecond, and a page may show those of five hundred clusters. */
const knownCas = new WeightedCache<CaDetails>(2 * 1024 * 1024)

export function caDetails(pem: string): CaDetails {
  const known = knownCas.get(pem)
  if (known) return known
  const { fingerprint, notBefore, notAfter } = parseCaCertificate(pem)
  const details = { fingerprint, notBefore, notAfter }
  knownCas.set(pem, details, pem.length)
  return details
}

/** Whether every CA that the nodes of a cluster trust has expired: then no node accepts another. False without a CA. */
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

/**
 * A new CA for a cluster, with its key sealed. It limits the nodes' addresses to the network; routes are not limited.
 */
export function newCa(
  vault: Vault,
  { id, name, networkCidr, certificateVersion }: CaPurpose,
  { lifetimeDays, groups }: CaLimits,
): CaColumns {
  // Five minutes ago, for nodes whose clock is slow.
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

/** Nothing, or a new key if no secret opens the current one: nodes accept its bundles after they enroll again. */
export const bundleKeyThatOpens = (
  vault: Vault,
  { id, bundleSigningKey }: Pick<Cluster, 'id' | 'bundleSigningKey'>,
): Partial<BundleKeyColumns> =>
  bundleSigningKey !== null && vault.opens(bundleSigningKey, id) ? {} : newBundleKey(vault, { id })

/** A change of a cluster that has its CA and its bundle-signing key. */
export interface PkiChange extends Change {
  readonly cluster: Cluster & CaColumns & BundleKeyColumns
}

/** Gives a cluster that is older than these features its CA and its bundle-signing key, as part of the change. */
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

/** The longest prefix of a text within this many bytes of UTF-8. */
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
