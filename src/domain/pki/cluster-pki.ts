import * as z from 'zod'

import { ConflictError, ValidationError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'
import { exportCaKey, importCa, type CertificateAuthority } from '../../pki/ca.ts'
import { PkiError } from '../../pki/errors.ts'
import { containsPrefix, parsePrefix } from '../../pki/encoding/prefix.ts'
import { assertNotRotating, ended as rotationEnded, inPlaceOfLost, phaseOf } from './ca-rotation.ts'
import { areKeysOpen } from './closed-keys.ts'
import { bundleKeyThatOpens, caDetails } from './cluster-ca.ts'
import { repairCluster } from '../clusters/cluster-change.ts'
import { check } from '../shared/rules.ts'
import type { Vault } from './vault.ts'

/** A CA in the form of nebula-cert: `ca.crt`, `ca.key`, and the passphrase of an encrypted key. */
export interface ImportedPki {
  readonly caCertificate: string
  readonly caKey: string
  readonly passphrase?: string | undefined
}

/** Larger than any of Nebula's CA certificates or keys with hundreds of networks. */
const pem = z.string().max(65_536, 'must have at most 65536 characters')
const rules = z.object({ caCertificate: pem, caKey: pem, passphrase: z.string().max(1024).optional() })

/**
 * UpdateClusterPKI: the cluster takes over a CA that was made elsewhere. The key is sealed before it is stored. A
 * cluster whose nodes hold certificates keeps its CA: an immediate replacement would disconnect them. Importing the
 * same CA again is always allowed. If the cluster's keys do not open, another CA is allowed too, and its nodes move to
 * it by a rotation.
 * @throws ValidationError with the invalid input, NotFoundError, ConflictError
 */
export async function importClusterPki(scope: Scope, vault: Vault, id: string, input: ImportedPki): Promise<Cluster> {
  const { caCertificate, caKey, passphrase } = check(rules, input)
  const ca = await readCa(caCertificate, caKey, passphrase ?? null)
  return repairCluster(scope, id, `CA ${ca.certificate.name} imported`, async ({ tx, cluster }) => {
    const isOpen = areKeysOpen(vault, cluster)
    if (isOpen) assertNotRotating(cluster)
    assertFits(ca, cluster)
    const columns = { pkiCaCert: ca.certificate.pem, pkiCaKey: vault.seal(exportCaKey(ca), id) }
    const where = { clusterId: id, certificate: { not: null } }
    const isNew = !isSameCa(ca, cluster)
    const parts = isNew && (await tx.node.findFirst({ where, select: { id: true } })) !== null
    if (parts && isOpen) {
      throw new ConflictError('Nodes of the cluster hold certificates of its present CA; another one would part them')
    }
    const data = parts ? inPlaceOfLost(cluster, columns, scope.actor) : { ...columns, ...withoutLost(cluster, isNew) }
    return { ...data, ...bundleKeyThatOpens(vault, cluster) }
  })
}

const isSameCa = ({ certificate }: CertificateAuthority, { pkiCaCert }: Cluster): boolean =>
  pkiCaCert !== null && caDetails(pkiCaCert).fingerprint === certificate.fingerprint

/**
 * A rotation ends when nothing leads to its new CA any more: its key was lost with the old one's, or no node holds a
 * certificate. Any other rotation continues, without the key of the CA that it replaces.
 */
const withoutLost = (cluster: Cluster, isNew: boolean) =>
  isNew || phaseOf(cluster) === 'TRUST_BOTH' ? rotationEnded : { pkiOtherCaKey: null }

/** The input that each of the PKI's errors refers to. */
const inputOf: Partial<Record<PkiError['subject'], keyof ImportedPki>> = {
  key: 'caKey',
  passphrase: 'passphrase',
}

async function readCa(certificate: string, key: string, passphrase: string | null): Promise<CertificateAuthority> {
  try {
    return await importCa(certificate, key, passphrase)
  } catch (error) {
    if (!(error instanceof PkiError)) throw error
    throw ValidationError.at(['input', inputOf[error.subject] ?? 'caCertificate'], 'UNUSABLE', error.message)
  }
}

/** Refuses a CA that cannot sign the cluster's addresses, or has a format that its nodes cannot read. */
function assertFits({ certificate }: CertificateAuthority, cluster: Cluster): void {
  const refuse = (message: string) => ValidationError.at(['input', 'caCertificate'], 'UNUSABLE', message)
  if (certificate.version > cluster.certificateVersion) {
    throw refuse(`is of version ${certificate.version}; the cluster's nodes read version ${cluster.certificateVersion}`)
  }
  const overlay = parsePrefix(cluster.networkCidr, 'networks')
  const allowed = certificate.networks.map((network) => parsePrefix(network, 'certificate'))
  if (allowed.length > 0 && !allowed.some((network) => containsPrefix(network, overlay))) {
    throw refuse(`may only sign addresses in ${certificate.networks.join(', ')}, not in ${cluster.networkCidr}`)
  }
}
