import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { signerOf } from '../../../src/domain/pki/cluster-ca.ts'
import { parsePublicKey } from '../../../src/pki/keys.ts'
import { signNode } from '../../../src/pki/sign.ts'
import type { Site } from './site.ts'

/** Gives a machine, which does not run now, a certificate most of whose life is over. */
export async function ageCertificate(site: Site, clusterId: string, nodeId: string): Promise<void> {
  const cluster = await site.app.database.client.cluster.findUniqueOrThrow({ where: { id: clusterId } })
  const { name, overlayIp, publicKey } = await site.node(nodeId)
  const ca = signerOf(site.app.vault, cluster)
  // The CA is five minutes old, at least; a minute is left of six.
  const { pem } = signNode(ca, {
    version: 1,
    name,
    networks: [`${overlayIp}/16`],
    unsafeNetworks: [],
    groups: [],
    notBefore: ca.certificate.notBefore,
    notAfter: new Date(Date.now() + 60_000),
    publicKey: parsePublicKey(publicKey ?? ''),
  })
  for (const path of [['host.crt'], ['current', 'host.crt']]) {
    await writeFile(join(site.stateDir, clusterId, ...path), pem)
  }
}
