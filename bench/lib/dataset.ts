import { createHash, randomBytes } from 'node:crypto'

import { longestLifetime, mintJwt } from '../../src/auth/jwt.ts'
import { deriveKeys } from '../../src/auth/keys.ts'
import { type ClusterToken, type NodeToken, Tokens } from '../../src/auth/tokens.ts'
import { newId } from '../../src/base/ids.ts'
import { openConnection } from '../../src/db/client/connection.ts'
import { migrateUp } from '../../src/db/migrations/index.ts'
import { compiledArchive, oldArchive, pem } from './archives.ts'
import { createCa } from '../../src/pki/ca.ts'
import { generateNodeKeyPair } from '../../src/pki/keys.ts'
import { signNode } from '../../src/pki/sign.ts'
import { bulkWriter, type BulkWriter } from './bulk.ts'

/** `ORRERY_SECRET` of the measured installation. */
export const secret = 'of the measurement alone: 0123456789abcdef'

/** A node with its token. */
export interface SeededNode {
  readonly id: string
  readonly token: string
  readonly clusterId: string
}

/** What the database was filled with, as far as the load needs to know. */
export interface Dataset {
  readonly url: string
  readonly nodeCount: number
  /** The nodes of the one large cluster: half of all nodes (a thousand of them, and all), 500 bundles of 2 KB. */
  readonly fleet: {
    readonly id: string
    readonly token: string
    readonly nodes: readonly SeededNode[]
    readonly allNodes: readonly SeededNode[]
  }
  /** Nodes of a cluster with 500 bundles of 100 KB. */
  readonly heavyNodes: readonly SeededNode[]
  /** A thousand nodes (or all, if there are fewer) of all clusters. */
  readonly agents: readonly SeededNode[]
  /** Ten thousand nodes (or all, if there are fewer) of all clusters. */
  readonly reporters: readonly SeededNode[]
  /** JWTs of an operator, and of the admin of the large cluster's tenant. */
  readonly operator: string
  readonly admin: string
}

/** Every node has it: signing a node again reads the old certificate, and checks only that it is one. */
const certificate = oneCertificate()

const bundleSizes = { light: 2 * 1024, heavy: 100 * 1024 }
const storedVersions = 500

/** A bundle of 10 MiB has room for a few more. */
const mostInFleet = 10_000
const smallTenants = 10
const clustersPerTenant = 5
const agentCount = 1000
const reporterCount = 10_000
const keys = deriveKeys(secret)
const tokens = new Tokens(keys.tokenHash)

/** For the peers and the hand-written server: the keys for token hashes and for JWTs, in hex. */
export const keyTexts = { tokenHash: keys.tokenHash.export().toString('hex'), jwt: keys.jwt.export().toString('hex') }

/**
 * Migrates an empty database and fills it with `nodeCount` nodes: half of them (at most 10 000, the most that a bundle
 * holds) in one cluster of one tenant, the rest evenly in ten tenants of five clusters each, so that there is one large
 * network and many small ones.
 */
export async function seed(url: string, nodeCount: number): Promise<Dataset> {
  const connection = await openConnection(url)
  await migrateUp(connection)
  await connection.close()
  const writer = await bulkWriter(url)
  try {
    return await fill(writer, url, nodeCount)
  } finally {
    await writer.close()
  }
}

/** A fleet of equal clusters. */
export interface FleetDataset {
  readonly url: string
  readonly nodes: readonly SeededNode[]
  /** A JWT of an operator. */
  readonly operator: string
}

/** Migrates an empty database and fills it with ten tenants of `clusters` clusters in total, with equally many nodes. */
export async function seedFleet(
  url: string,
  { clusters, nodes }: { readonly clusters: number; readonly nodes: number },
): Promise<FleetDataset> {
  const connection = await openConnection(url)
  await migrateUp(connection)
  await connection.close()
  const writer = await bulkWriter(url)
  try {
    const archive = await oldArchive(bundleSizes.light)
    const all: SeededNode[] = []
    for (let tenant = 0; tenant < smallTenants; tenant += 1) {
      const tenantId = await addTenant(writer, `Tenant ${String(tenant).padStart(2, '0')}`)
      for (let index = 0; index < clusters / smallTenants; index += 1) {
        const cluster = await addCluster(writer, tenantId, { name: `cluster-${index}`, versions: 3 })
        const own = await addNodes(writer, cluster, nodes / clusters)
        await addBundles(writer, cluster, { nodes: own, archive, sliceSize: bundleSizes.light })
        all.push(...own)
      }
    }
    await writer.finish()
    const operator = await mintJwt(keys.jwt, { role: 'operator' }, { subject: 'bench', lifetime: longestLifetime })
    return { url, nodes: all, operator }
  } finally {
    await writer.close()
  }
}

async function fill(writer: BulkWriter, url: string, nodeCount: number): Promise<Dataset> {
  const [light, heavy] = await Promise.all([oldArchive(bundleSizes.light), oldArchive(bundleSizes.heavy)])
  const fleetTenant = await addTenant(writer, 'Fleet')
  const fleet = await addCluster(writer, fleetTenant, { name: 'fleet', versions: storedVersions })
  const fleetSize = Math.min(nodeCount / 2, mostInFleet)
  const fleetNodes = await addNodes(writer, fleet, fleetSize)
  await addBundles(writer, fleet, { nodes: fleetNodes, archive: light, sliceSize: bundleSizes.light })
  const others: SeededNode[] = []
  let heavyNodes: readonly SeededNode[] = []
  for (let tenant = 0; tenant < smallTenants; tenant += 1) {
    const tenantId = await addTenant(writer, `Tenant ${String(tenant).padStart(2, '0')}`)
    for (let index = 0; index < clustersPerTenant; index += 1) {
      const isHeavy = tenant === 0 && index === 0
      const versions = isHeavy ? storedVersions : 3
      const cluster = await addCluster(writer, tenantId, { name: `cluster-${index}`, versions })
      const nodes = await addNodes(writer, cluster, (nodeCount - fleetSize) / smallTenants / clustersPerTenant)
      const [archive, sliceSize] = isHeavy ? [heavy, bundleSizes.heavy] : [light, bundleSizes.light]
      await addBundles(writer, cluster, { nodes, archive, sliceSize })
      others.push(...nodes)
      if (isHeavy) heavyNodes = nodes
    }
  }
  await writer.finish()
  const jwt = (claims: Parameters<typeof mintJwt>[1]) =>
    mintJwt(keys.jwt, claims, { subject: 'bench', lifetime: longestLifetime })
  return {
    url,
    nodeCount,
    fleet: { id: fleet.id, token: fleet.token, nodes: evenly(fleetNodes, agentCount), allNodes: fleetNodes },
    heavyNodes,
    agents: evenly([...fleetNodes, ...others], agentCount),
    reporters: evenly([...fleetNodes, ...others], reporterCount),
    operator: await jwt({ role: 'operator' }),
    admin: await jwt({ role: 'admin', tenantId: fleetTenant }),
  }
}

interface SeededCluster {
  readonly id: string
  readonly tenantId: string
  readonly token: ClusterToken
  readonly versions: number
}

async function addTenant(writer: BulkWriter, name: string): Promise<string> {
  const id = newId()
  await writer.add('tenants', { id, name, created_at: new Date() })
  return id
}

async function addCluster(
  writer: BulkWriter,
  tenantId: string,
  { name, versions }: { name: string; versions: number },
): Promise<SeededCluster> {
  const id = newId()
  const { token, hash } = tokens.newClusterToken()
  await writer.add('clusters', {
    id,
    tenant_id: tenantId,
    name,
    cluster_token_hash: hash,
    network_cidr: '10.0.0.0/8',
    firewall: { inbound: [], outbound: [{ port: 'any', proto: 'any', host: 'any' }] },
    config_version: versions,
    // No version waits to be compiled.
    published_config_version: versions,
    created_at: new Date(),
  })
  return { id, tenantId, token, versions }
}

/** All versions of a cluster: the newest is compiled for its nodes, and all earlier ones share one archive. */
async function addBundles(
  writer: BulkWriter,
  { id, tenantId, versions }: SeededCluster,
  { nodes, archive, sliceSize }: { nodes: readonly SeededNode[]; archive: Buffer; sliceSize: number },
): Promise<void> {
  const nodeIds = nodes.map((node) => node.id)
  const newest = compiledArchive({ clusterId: id, version: versions, nodeIds, sliceSize })
  for (let version = 1; version <= versions; version += 1) {
    const data = version === versions ? newest : archive
    const sha256 = createHash('sha256').update(data).digest('hex')
    const where = { version, tenant_id: tenantId, cluster_id: id }
    const content = { sha256, size: data.length, message: 'seeded', data, created_at: new Date() }
    await writer.add('config_bundles', { ...where, ...content })
  }
}

async function addNodes(writer: BulkWriter, cluster: SeededCluster, count: number): Promise<SeededNode[]> {
  const added: SeededNode[] = []
  const now = new Date()
  const expiresAt = new Date(now.getTime() + 30 * 24 * 3600_000)
  for (let index = 0; index < count; index += 1) {
    const { token, hash }: { token: NodeToken; hash: string } = tokens.newNodeToken()
    const id = newId()
    const name = `node-${String(index).padStart(6, '0')}`
    await writer.add('nodes', {
      id,
      tenant_id: cluster.tenantId,
      cluster_id: cluster.id,
      name,
      token_hash: hash,
      routes: [],
      groups: ['servers', index % 2 === 0 ? 'web' : 'workers', ...(index % 20 === 3 ? ['edge'] : [])],
      overlay_ip: overlayIp(index + 1),
      is_lighthouse: index < 2,
      lighthouse_public_ip: index < 2 ? `203.0.113.${index + 1}` : null,
      is_relay: index === 2,
      public_key: pem('NEBULA X25519 PUBLIC KEY', 32),
      certificate,
      certificate_fingerprint: randomBytes(32).toString('hex'),
      certificate_expires_at: expiresAt,
      running_config_version: cluster.versions,
      // Within the last minute, in another order than that of the names.
      last_seen_at: new Date(now.getTime() - ((index * 7919) % 60_000)),
      nebula_version: '1.9.5',
      created_at: now,
    })
    added.push({ id, token, clusterId: cluster.id })
  }
  return added
}

function oneCertificate(): string {
  const [notBefore, notAfter] = [new Date(Date.now() - 60_000), new Date(Date.now() + 30 * 24 * 3600_000)]
  const fields = { version: 1, notBefore, notAfter, unsafeNetworks: [], groups: [] } as const
  const ca = createCa({ ...fields, name: 'bench', networks: [] })
  const { publicKey } = generateNodeKeyPair()
  return signNode(ca, { ...fields, name: 'bench', networks: ['10.0.0.1/8'], publicKey }).pem
}

/** An address in 10.0.0.0/8. */
const overlayIp = (index: number): string => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`

function evenly<T>(all: readonly T[], count: number): T[] {
  const step = Math.max(1, all.length / count)
  return Array.from({ length: Math.min(count, all.length) }, (_, index) => all[Math.floor(index * step)]).filter(
    (one) => one !== undefined,
  )
}
