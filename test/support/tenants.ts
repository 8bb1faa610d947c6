import { randomUUID } from 'node:crypto'

import { openDatabase, type Database } from '../../src/db/client/client.ts'
import { scopedClient } from '../../src/db/client/scoped.ts'
import type { Db } from '../../src/db/client/types.ts'
import type { Prisma } from '../../src/db/generated/sqlite/client.ts'
import { createMigratedDatabase, type Engine } from './database.ts'

/** A fresh migrated database, opened with the raw client: for tests below the API. */
export async function openFreshDatabase(engine: Engine, onQuery?: (sql: string) => void) {
  const fresh = await createMigratedDatabase(engine)
  const database = await openDatabase(fresh.url, { poolSize: 10, ...(onQuery ? { onQuery } : {}) })
  return {
    url: fresh.url,
    database,
    close: async () => {
      await database.close()
      await fresh.drop()
    },
  }
}

/** The ids of a cluster's rows; all of the rows have `name` in their names. */
export interface ClusterRows {
  readonly tenantId: string
  readonly clusterId: string
  readonly nodeId: string
  readonly name: string
  readonly instanceId: string
}

/** A tenant's row. */
export async function insertTenant({ client }: Database, name: string): Promise<string> {
  const { id } = await client.tenant.create({ data: { id: randomUUID(), name } })
  return id
}

/** A cluster with one node, which uploaded the cluster's one bundle (version 7), and one state. */
async function insertCluster({ client }: Database, tenantId: string, name: string): Promise<ClusterRows> {
  const clusterId = randomUUID()
  await client.cluster.create({ data: clusterData(tenantId, clusterId, name) })
  const node = await client.node.create({ data: nodeData(tenantId, clusterId, name) })
  const bundle = { version: 7, tenantId, clusterId, createdById: node.id, message: name }
  await client.configBundle.create({ data: { ...bundleData, ...bundle } })
  const credential = { id: node.id, tokenHash: randomUUID(), tenantId, clusterId, name }
  await client.credential.create({ data: { ...credentialData, ...credential } })
  const instanceId = randomUUID()
  await client.clusterState.create({ data: { clusterId, instanceId, runningConfigVersion: 7 } })
  return { tenantId, clusterId, nodeId: node.id, name, instanceId }
}

export const clusterData = (tenantId: string, id: string, name: string) =>
  ({ id, tenantId, name, clusterTokenHash: randomUUID(), firewall: {} }) satisfies Prisma.ClusterUncheckedCreateInput

export const nodeData = (tenantId: string, clusterId: string, name: string) => {
  const unique = { id: randomUUID(), tokenHash: randomUUID(), overlayIp: randomUUID() }
  return { ...unique, tenantId, clusterId, name, routes: [], groups: [] } satisfies Prisma.NodeUncheckedCreateInput
}

/** The columns of a bundle's row besides its version and its owner. */
export const bundleData = { data: Uint8Array.of(1, 2, 3), sha256: '0'.repeat(64), size: 3 }

/** The columns of a session's row besides its id and hash. */
export const credentialData = { kind: 'session', role: 'operator', name: 'olga', expiresAt: new Date(8e15) }

export type RawClient = Database['client']

/** A tenant with the clusters `ours` and `sibling`, and another tenant with the cluster `theirs`. */
export interface TwoTenants {
  readonly database: Database
  readonly ours: ClusterRows
  readonly sibling: ClusterRows
  readonly theirs: ClusterRows
  /** Of the tenant of `ours` and `sibling`. */
  readonly tenantClient: () => Db
  /** Of the cluster `ours`, for its node. */
  readonly clusterClient: () => Db
  /** Every row of the tenants' tables, except for those of one cluster. */
  readonly allRows: (except?: ClusterRows) => Promise<string>
  readonly close: () => Promise<void>
}

export async function openTwoTenants(engine: Engine): Promise<TwoTenants> {
  const { database, close } = await openFreshDatabase(engine)
  const tenantId = await insertTenant(database, 'ours')
  const ours = await insertCluster(database, tenantId, 'ours')
  const sibling = await insertCluster(database, tenantId, 'sibling')
  const theirs = await insertCluster(database, await insertTenant(database, 'theirs'), 'theirs')
  const { clusterId, nodeId } = ours
  return {
    database,
    ours,
    sibling,
    theirs,
    tenantClient: () => scopedClient(database, { tenantId, clusterId: null, clusterIds: null, nodeId: null }),
    clusterClient: () => scopedClient(database, { tenantId, clusterId, clusterIds: null, nodeId }),
    allRows: (except) => allRows(database.client, except?.clusterId ?? ''),
    close,
  }
}

async function allRows(client: RawClient, but: string): Promise<string> {
  const { tenant, cluster, clusterState, node, configBundle, credential } = client
  const where = { NOT: { clusterId: but } }
  const [tenants, clusters, states, nodes, bundles, credentials] = await Promise.all([
    tenant.findMany({ orderBy: { id: 'asc' } }),
    cluster.findMany({ where: { NOT: { id: but } }, orderBy: { id: 'asc' } }),
    clusterState.findMany({ where, orderBy: { clusterId: 'asc' } }),
    node.findMany({ where, orderBy: { id: 'asc' } }),
    configBundle.findMany({ where, orderBy: { clusterId: 'asc' } }),
    credential.findMany({ where: { OR: [{ clusterId: null }, where] }, orderBy: { id: 'asc' } }),
  ])
  return JSON.stringify({ tenants, clusters, states, nodes, bundles, credentials })
}

/** The result of the work: its value, or which error it threw (Prisma's code, or else the name). */
export const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => {
    if (!(error instanceof Error)) throw error
    return 'code' in error ? error.code : error.name
  })
