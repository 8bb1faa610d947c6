import { randomUUID } from 'node:crypto'

import { operatorScope, tenantScope } from '../../src/auth/make-scope.ts'
import type { Operator, Tenant } from '../../src/auth/scope.ts'
import type { Database } from '../../src/db/client/client.ts'
import type { Engine } from './database.ts'
import { bundleData, clusterData, insertTenant, nodeData, openFreshDatabase } from './tenants.ts'

/** Names that are easily sorted wrong: cases, lengths, marks, letters beyond ASCII and beyond 16 bits. */
const names = [
  'a',
  'B',
  'b',
  'ab',
  'a b',
  'Ä',
  'ä',
  'ß',
  'z',
  'Z',
  '10',
  '9',
  "o'clock",
  'a"b',
  'a\\b',
  'a%b',
  'a_b',
  '語',
  '😀',
  '~',
  'é',
  '\u{fffd}',
  '-',
]
/** A database with rows of everything that is listed in pages. */
export interface Lists {
  readonly database: Database
  readonly tenantIds: readonly [string, string]
  /** Three clusters of the first tenant, then two of the second; each has the same 23 nodes and eight bundles. */
  readonly clusterIds: readonly [string, string, string, string, string]
  readonly operator: () => Operator
  /** Of the first tenant. */
  readonly tenant: () => Tenant
  /** Of the first cluster. */
  readonly cluster: () => Tenant
  /** The SQL statements since the last call. */
  readonly takeStatements: () => string[]
  readonly close: () => Promise<void>
}

export async function openLists(engine: Engine): Promise<Lists> {
  let statements: string[] = []
  const { database, close } = await openFreshDatabase(engine, (sql) => statements.push(sql))
  const [first, second] = [await insertTenant(database, 'first'), await insertTenant(database, 'second')]
  for (const name of names) await insertTenant(database, `tenant ${name}`)
  const clusterIds = [randomUUID(), randomUUID(), randomUUID(), randomUUID(), randomUUID()] as const
  const clusterNames = ['a', 'B', 'ä', 'a', 'B']
  for (const [index, clusterId] of clusterIds.entries()) {
    await insertLists(database, index < 3 ? first : second, clusterId, clusterNames[index] ?? '')
  }
  return {
    database,
    tenantIds: [first, second],
    clusterIds,
    operator: () => operatorScope(database, 'a test'),
    tenant: () => tenantScope(database, { tenantId: first, actor: 'a test' }),
    cluster: () => tenantScope(database, { tenantId: first, actor: 'a test' }, { clusterId: clusterIds[0] }),
    takeStatements() {
      const taken = statements
      statements = []
      return taken
    },
    close,
  }
}

async function insertLists({ client }: Database, tenantId: string, clusterId: string, name: string): Promise<void> {
  await client.cluster.create({ data: clusterData(tenantId, clusterId, name) })
  const nodes = names.map((node, at) => {
    const isLighthouse = at % 3 === 0
    return {
      ...nodeData(tenantId, clusterId, node),
      isLighthouse,
      lighthousePublicIp: isLighthouse ? '192.0.2.1' : null,
    }
  })
  await client.node.createMany({ data: nodes })
  const versions = [1, 2, 5, 9, 10, 11, 100, 101]
  const bundles = versions.map((version) => ({ ...bundleData, version, tenantId, clusterId, message: `v${version}` }))
  await client.configBundle.createMany({ data: bundles })
}
