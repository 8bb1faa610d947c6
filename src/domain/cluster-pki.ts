import * as z from 'zod'

import { ConflictError, ValidationError } from '../base/errors.ts'
import type { Scope } from '../auth/scope.ts'
import type { Cluster } from '../db/types.ts'
import { exportCaKey, importCa, type CertificateAuthority } from '../pki/ca.ts'
import { PkiError } from '../pki/errors.ts'
import { containsPrefix, parsePrefix } from '../pki/prefix.ts'
import { assertNotRotating } from './ca-rotation.ts'
import { changeCluster } from './cluster-change.ts'
import { check } from './rules.ts'
import type { Vault } from './vault.ts'

/** A CA as nebula-cert writes it: `ca.crt`, `ca.key`, and the passphrase of an encrypted key. */
export interface ImportedPki {
  readonly caCertificate: string
  readonly caKey: string
  readonly passphrase?: string | undefined
}

/** Larger than any CA certificate or key of Nebula's with hundreds of networks. */
const pem = z.string().max(65_536, 'must have at most 65536 characters')
const rules = z.object({ caCertificate: pem, caKey: pem, passphrase: z.string().max(1024).optional() })

/**
 * UpdateClusterPKI: the cluster takes over a CA that was made elsewhere. The key is sealed before it is stored. A
 * cluster whose nodes hold certificates keeps its CA: another one at once would part them.
 * @throws ValidationError that names the input at fault, NotFoundError, ConflictError
 */
export async function importClusterPki(scope: Scope, vault: Vault, id: string, input: ImportedPki): Promise<Cluster> {
  const { caCertificate, caKey, passphrase } = check(rules, input)
  const ca = await readCa(caCertificate, caKey, passphrase ?? null)
  return changeCluster(scope, id, `CA ${ca.certificate.name} imported`, async ({ tx, cluster }) => {
    assertNotRotating(cluster)
    assertFits(ca, cluster)
    if (await tx.node.findFirst({ where: { clusterId: id, certificate: { not: null } }, select: { id: true } })) {
      throw new ConflictError('Nodes of the cluster hold certificates of its present CA; another one would part them')
    }
    const data = { pkiCaCert: ca.certificate.pem, pkiCaKey: vault.seal(exportCaKey(ca), id) }
    return tx.cluster.update({ where: { id }, data })
  })
}

/** Which input each of the PKI's complaints is about. */
const inputOf: Partial<Record<PkiError['subject'], keyof ImportedPki>> = {
  key: 'caKey',
  passphrase: 'passphrase',
}

async function readCa(certificate: string, key: string, passphrase: string | null): Promise<CertificateAuthority> {
  try {
    return await importCa(certificate, key, passphrase)
  } catch (error) {
    if (!(error instanceof PkiError)) throw error
    throw ValidationError.at(['input', inputOf[error.subject] ?? 'caCertificate'], error.message)
  }
}

/** A CA that cannot sign the cluster's addresses, or in a format that its nodes cannot read, is of no use to it. */
function assertFits({ certificate }: CertificateAuthority, cluster: Cluster): void {
  const refuse = (message: string) => ValidationError.at(['input', 'caCertificate'], message)
  if (certificate.version > cluster.certificateVersion) {
    throw refuse(`is of version ${certificate.version}; the cluster's nodes read version ${cluster.certificateVersion}`)
  }
  const overlay = parsePrefix(cluster.networkCidr, 'networks')
  const allowed = certificate.networks.map((network) => parsePrefix(network, 'certificate'))
  if (allowed.length > 0 && !allowed.some((network) => containsPrefix(network, overlay))) {
    throw refuse(`may only sign addresses in ${certificate.networks.join(', ')}, not in ${cluster.networkCidr}`)
  }
}
