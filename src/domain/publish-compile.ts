import { compileInThread } from './bundle/compile-thread.ts'
import type { CompiledBundle, RenderInput } from './bundle/compile-input.ts'
import type { SharedPart } from './bundle/shared-part.ts'
import { exportCaKey } from '../pki/ca.ts'
import { bundleSigningKeyOf, certificateVersionOf, signerOf, trustedCas } from './cluster-ca.ts'
import type { Firewall } from './firewall.ts'
import type { Snapshot } from './snapshot.ts'
import type { Vault } from './vault.ts'

const day = 86_400

/** What the files of a snapshot's bundle follow from. */
export const renderInputOf = ({ cluster, nodes }: Snapshot, shared: SharedPart | null): RenderInput => ({
  certificateVersion: certificateVersionOf(cluster),
  lighthousePort: cluster.lighthousePort,
  // Only domain/firewall.ts writes the column, in this shape.
  firewall: cluster.firewall as unknown as Firewall,
  blocklist: (cluster.pkiCrl ?? '').split('\n').filter((line) => line !== ''),
  cas: trustedCas(cluster),
  shared,
  nodes,
})

/**
 * Compiles a snapshot, in the thread that is there for it.
 * @throws LimitError when the bundle would be too large; Error when a sealed key does not open
 */
export async function compileSnapshot(
  vault: Vault,
  snapshot: Snapshot,
  shared: SharedPart | null,
): Promise<CompiledBundle> {
  const { cluster } = snapshot
  const signer = signerOf(vault, cluster)
  const now = new Date()
  return compileInThread(cluster.tenantId, {
    ...renderInputOf(snapshot, shared),
    clusterId: cluster.id,
    version: cluster.configVersion,
    createdAt: now,
    now,
    networkCidr: cluster.networkCidr,
    signingKey: bundleSigningKeyOf(vault, cluster),
    certificateLifetimeSeconds: cluster.certificateLifetimeDays * day,
    signer: { caCertificate: signer.certificate.pem, caKeyPem: exportCaKey(signer) },
  })
}
