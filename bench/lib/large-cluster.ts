import { systemOperator } from '../../src/auth/system.ts'
import { deriveKeys } from '../../src/auth/keys.ts'
import { Tokens } from '../../src/auth/tokens.ts'
import { newId } from '../../src/base/ids.ts'
import { openDatabase, type Database } from '../../src/db/client/client.ts'
import { openConnection } from '../../src/db/client/connection.ts'
import { migrateUp } from '../../src/db/migrations/index.ts'
import { signerOf } from '../../src/domain/pki/cluster-ca.ts'
import { createCluster } from '../../src/domain/clusters/clusters.ts'
import { createTenant } from '../../src/domain/tenants/tenants.ts'
import { Vault } from '../../src/domain/pki/vault.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../src/pki/keys.ts'
import { signNode } from '../../src/pki/sign.ts'
import { secret } from './dataset.ts'

/** A database with one cluster whose nodes all hold a certificate, as if they had enrolled; nothing is published. */
export interface LargeCluster {
  readonly database: Database
  readonly vault: Vault
  readonly id: string
  /** The tokens of its nodes. */
  readonly tokens: readonly string[]
}

/** Rows per insert. */
const chunk = 500

/** Migrates an empty database and fills it; the caller closes it. Takes some seconds for ten thousand nodes. */
export async function largeCluster(url: string, count: number): Promise<LargeCluster> {
  const connection = await openConnection(url)
  await migrateUp(connection, () => undefined)
  await connection.close()
  const database = await openDatabase(url)
  const operator = systemOperator(database)
  const [tokens, vault] = [new Tokens(deriveKeys(secret).tokenHash), new Vault(secret)]
  const { id: tenantId } = await createTenant(operator, { name: 'bench' })
  const { cluster } = await createCluster(operator, { tokens, vault }, { tenantId, name: 'bench' })
  const ca = signerOf(vault, cluster)
  const made: string[] = []
  for (let start = 0; start < count; start += chunk) {
    const rows = Array.from({ length: Math.min(chunk, count - start) }, (_, offset) => {
      const { token, hash } = tokens.newNodeToken()
      made.push(token)
      return { ...nodeRow(ca, start + offset), tenantId, clusterId: cluster.id, tokenHash: hash }
    })
    await operator.db.node.createMany({ data: rows })
  }
  return { database, vault, id: cluster.id, tokens: made }
}

/** One lighthouse in five hundred, one relay in a thousand, one gateway in two hundred. */
function nodeRow(ca: ReturnType<typeof signerOf>, index: number) {
  const name = `node-${String(index).padStart(6, '0')}`
  const overlayIp = `10.42.${(index + 1) >> 8}.${(index + 1) & 255}`
  const routes = index % 200 === 7 ? [`192.168.${(index / 200) & 255}.0/24`] : []
  const groups = ['servers', index % 2 === 0 ? 'web' : 'workers']
  const { publicKey } = generateNodeKeyPair()
  const certificate = signNode(ca, {
    version: 1,
    name,
    networks: [`${overlayIp}/16`],
    unsafeNetworks: routes,
    groups,
    notBefore: ca.certificate.notBefore,
    notAfter: new Date(Date.now() + 30 * 24 * 3600_000),
    publicKey,
  })
  const isLighthouse = index % 500 === 0
  return {
    id: newId(),
    name,
    overlayIp,
    routes,
    groups,
    isLighthouse,
    lighthousePublicIp: isLighthouse ? `203.0.113.${(index / 500) & 255}` : null,
    isRelay: index % 1000 === 1,
    publicKey: formatPublicKey(publicKey),
    certificate: certificate.pem,
    certificateFingerprint: certificate.fingerprint,
    certificateExpiresAt: certificate.notAfter,
  }
}
