import { compileInThread } from '../bundles/compile/compile-thread.ts'
import type { CompiledBundle, RenderInput } from '../bundles/compile/compile-input.ts'
import type { SharedPart } from '../bundles/compile/shared-part.ts'
import { exportCaKey } from '../../pki/ca.ts'
import { bundleSigningKeyOf, certificateVersionOf, signerOf, trustedCas } from '../pki/cluster-ca.ts'
import { clusterFirewall } from '../clusters/firewall.ts'
import type { Snapshot } from './snapshot.ts'
import type { Vault } from '../pki/vault.ts'

const day = 86_400

/** The render input of a snapshot's bundle. */
export const renderInputOf = ({ cluster, nodes }: Snapshot, shared: SharedPart | null): RenderInput => ({
  certificateVersion: certificateVersionOf(cluster),
  lighthousePort: cluster.lighthousePort,
  firewall: clusterFirewall(cluster),
  blocklist: (cluster.pkiCrl ?? '').split('\n').filter((line) => line !== ''),
  cas: trustedCas(cluster),
  shared,
  nodes,
})

/**
 * Compiles a snapshot in a compiling thread.
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
