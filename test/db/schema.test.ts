import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { type Connection, openConnection } from '../../src/db/client/connection.ts'
import { createMigratedDatabase, engines, type TestDatabase } from '../support/database.ts'
import { indexes, indexesOfSqlite } from '../support/expected-indexes.ts'
import { insert, insertAll, insertBasics } from '../support/rows.ts'
import { openSchemaEngine } from '../support/schema-engine.ts'
import { checksOf, foreignKeysOf, indexesOf } from '../support/structure.ts'

/** The seed's foreign keys; those to clusters carry the tenant where the row has one. */
const foreignKeys = [
  'cluster_state (cluster_id) → clusters (id), CASCADE',
  'clusters (tenant_id) → tenants (id), CASCADE',
  'config_bundles (created_by) → nodes (id), SET NULL',
  'config_bundles (tenant_id) → tenants (id), CASCADE',
  'config_bundles (tenant_id, cluster_id) → clusters (tenant_id, id), CASCADE',
  'credentials (credential_id) → credentials (id), CASCADE',
  'credentials (node_id) → nodes (id), CASCADE',
  'credentials (tenant_id) → tenants (id), CASCADE',
  'credentials (tenant_id, cluster_id) → clusters (tenant_id, id), CASCADE',
  'nodes (tenant_id) → tenants (id), CASCADE',
  'nodes (tenant_id, cluster_id) → clusters (tenant_id, id), CASCADE',
]

type Value = string | number | null

/** Each CHECK: the column, values that are taken, and values that are refused. */
const checks: [table: string, column: string, taken: Value[], refused: Value[]][] = [
  ['clusters', 'provide_lighthouse', [0, 1], [2, -1]],
  ['clusters', 'lighthouse_port', [1, 4242, 65535], [0, -1, 65536]],
  ['clusters', 'config_version', [1, 2147483647], [0, -1]],
  ['clusters', 'certificate_version', [1, 2], [0, 3]],
  ['clusters', 'certificate_lifetime_days', [1, 30, 3650], [0, 3651]],
  ['clusters', 'ca_rotation_phase', [null, 'TRUST_BOTH', 'SIGN_AGAIN', 'DROP_OLD'], ['', 'trust_both']],
  ['clusters', 'ca_rotation_automatic', [0, 1], [2, -1]],
  ['replicas', 'role', ['master', 'replica'], ['Master', '', 'slave']],
  ['nodes', 'is_admin', [0, 1], [2, -1]],
  ['nodes', 'is_lighthouse', [0, 1], [2, -1]],
  ['nodes', 'is_relay', [0, 1], [2, -1]],
  ['nodes', 'mtu', [1280, 1300, 9000], [1279, 9001, 0]],
  ['nodes', 'lighthouse_port', [1, 65535, null], [0, 65536]],
  ['config_bundles', 'version', [1], [0, -1]],
  ['config_bundles', 'size', [0, 10485760], [-1]],
  [
    'credentials',
    'kind',
    ['sign_in_link', 'session', 'access_token', 'enrollment_key', 'replaced_token'],
    ['', 'token'],
  ],
  // A key of two columns is not checked while one of them is null.
  ['credentials', 'cluster_id', [null], ['a1']],
  ['credentials', 'uses_allowed', [null, 1], [0, -1]],
  ['credentials', 'use_count', [0, 1], [-1]],
]
const booleans = ['provide_lighthouse', 'ca_rotation_automatic', 'is_admin', 'is_lighthouse', 'is_relay']

type Row = Record<string, Value>
const inB: Row = { tenant_id: 'b', cluster_id: 'b1' }

/** What is unique, by which columns, and where the same is taken once more. */
const uniques: [what: string, table: string, columns: string[], elsewhere: Row | null][] = [
  ['the id of a tenant', 'tenants', ['id'], null],
  ['the name of a tenant', 'tenants', ['name'], null],
  ['the id of a cluster', 'clusters', ['id'], null],
  ['the name of a cluster in its tenant', 'clusters', ['tenant_id', 'name'], { tenant_id: 'b' }],
  ['the token of a cluster', 'clusters', ['cluster_token_hash'], null],
  ['the state of a cluster on an instance', 'cluster_state', ['cluster_id', 'instance_id'], { instance_id: 'r2' }],
  ['the id of a replica', 'replicas', ['id'], null],
  ['the address of a replica', 'replicas', ['address'], null],
  ['the id of a node', 'nodes', ['id'], null],
  ['the token of a node', 'nodes', ['token_hash'], null],
  ['the name of a node in its cluster', 'nodes', ['tenant_id', 'cluster_id', 'name'], inB],
  ['the overlay address of a node in its cluster', 'nodes', ['cluster_id', 'overlay_ip'], inB],
  ['the id of a credential', 'credentials', ['id'], null],
  ['the token of a credential', 'credentials', ['token_hash'], null],
  ['the version of a bundle in its cluster', 'config_bundles', ['tenant_id', 'cluster_id', 'version'], inB],
]

describe.each(engines)('the schema on %s', (engine) => {
  let database: TestDatabase
  let connection: Connection

  beforeAll(async () => {
    database = await createMigratedDatabase(engine)
    connection = await openConnection(database.url)
  })
  afterAll(async () => {
    await connection.close()
    await database.drop()
  })

  beforeEach(() => connection.script('BEGIN'))
  afterEach(() => connection.script('ROLLBACK'))

  /** Why the database refused a row. */
  const refusal = (table: string, values: Row): Promise<string> =>
    insert(connection, table, values).then(
      () => `nothing: ${table} took ${JSON.stringify(values)}`,
      (reason: unknown) => String(reason),
    )

  test('is what schema.prisma says; otherwise, here is the SQL from the one to the other', async () => {
    const migrated = await createMigratedDatabase(engine)
    const prisma = await openSchemaEngine(migrated)
    const difference = await prisma.diff('database')
    await prisma.close()
    await migrated.drop()
    expect(difference).toBe('')
  })

  test('has the indexes and UNIQUE constraints of the seed and of the design, and no others', async () => {
    expect(await indexesOf(connection)).toEqual({ ...indexes, ...(engine === 'sqlite' ? indexesOfSqlite : {}) })
  })

  test('has the foreign keys of the seed, and no others', async () => {
    expect(await foreignKeysOf(connection)).toEqual(foreignKeys)
  })

  test('has a CHECK for each row of the tables below, and no others', async () => {
    const columns = checks.filter(([, column]) => engine === 'sqlite' || !booleans.includes(column))
    const names = [...columns.map(([table, column]) => `${table}_${column}_check`), 'nodes_lighthouse_public_ip_check']
    expect(await checksOf(connection)).toEqual(names.sort())
  })

  test('has the defaults of the seed', async () => {
    await insertBasics(connection)
    const [cluster] = await connection.query(`SELECT * FROM clusters WHERE id = 'a1'`)
    expect(cluster).toMatchObject({
      lighthouse_port: 4242,
      config_version: 1,
      pki_ca_cert: null,
      pki_ca_key: null,
      pki_crl: null,
    })
    expect(cluster).toMatchObject({ network_cidr: '10.42.0.0/16', certificate_version: 1, next_overlay_ip: null })
    const [node] = await connection.query(`SELECT * FROM nodes WHERE id = 'n1'`)
    expect(node).toMatchObject({
      mtu: 1300,
      lighthouse_public_ip: null,
      lighthouse_port: null,
      running_config_version: null,
    })
    for (const flag of [
      cluster?.['provide_lighthouse'],
      node?.['is_admin'],
      node?.['is_lighthouse'],
      node?.['is_relay'],
    ]) {
      expect(flag).toBe(engine === 'sqlite' ? 0 : false)
    }
    const [replica] = await connection.query(`SELECT role FROM replicas`)
    expect(replica).toEqual({ role: 'replica' })
    const times = ['tenants', 'clusters', 'nodes', 'replicas', 'config_bundles'].map(
      (table) => `SELECT created_at FROM ${table}`,
    )
    for (const sql of [...times, 'SELECT updated_at FROM cluster_state', 'SELECT last_seen_at FROM replicas']) {
      expect(Object.values((await connection.query(sql))[0] ?? {})).toEqual([expect.anything()])
    }
  })

  describe.each(checks)('%s.%s', (table, column, taken, refused) => {
    // A lighthouse needs a public address, which is a CHECK of its own.
    const rest: Row = column === 'is_lighthouse' ? { lighthouse_public_ip: '192.0.2.1' } : {}

    test.each(taken)('takes %s', async (value) => {
      await insertBasics(connection)
      await expect(insert(connection, table, { ...rest, [column]: value })).resolves.toBeUndefined()
    })

    test.each(refused)('refuses %s', async (value) => {
      await insertBasics(connection)
      const native = engine === 'postgresql' && booleans.includes(column)
      const reason = native ? 'invalid input syntax for type boolean' : `${table}_${column}_check`
      expect(await refusal(table, { ...rest, [column]: value })).toContain(reason)
    })
  })

  test('a lighthouse has a public address; other nodes may have one', async () => {
    await insertBasics(connection)
    await insert(connection, 'nodes', { is_lighthouse: 1, lighthouse_public_ip: '192.0.2.1' })
    await insert(connection, 'nodes', { is_lighthouse: 0, lighthouse_public_ip: '192.0.2.2' })
    await insert(connection, 'nodes', { is_lighthouse: 0, lighthouse_public_ip: null })
    expect(await refusal('nodes', { is_lighthouse: 1 })).toContain('nodes_lighthouse_public_ip_check')
  })

  test.each(uniques)('%s is taken once', async (_, table, columns, elsewhere) => {
    await insertAll(connection)
    const [first = {}] = await connection.query(`SELECT * FROM ${table}`)
    const same = Object.fromEntries(columns.map((column) => [column, first[column] as Value]))
    if (elsewhere) await insert(connection, table, { ...same, ...elsewhere })
    expect(await refusal(table, same)).toMatch(/UNIQUE constraint failed|duplicate key value violates unique/)
  })

  test('a second master is refused; replicas there may be many', async () => {
    await insert(connection, 'replicas', { role: 'master' })
    await insert(connection, 'replicas', { role: 'replica' })
    await insert(connection, 'replicas', { role: 'replica' })
    expect(await refusal('replicas', { role: 'master' })).toMatch(/replicas\.role|idx_replicas_one_master/)
  })

  test.each(['nodes', 'config_bundles', 'credentials'])(
    "%s of one tenant cannot point at another tenant's cluster",
    async (table) => {
      await insertBasics(connection)
      expect(await refusal(table, { tenant_id: 'b', cluster_id: 'a1' })).toMatch(/foreign key constraint/i)
    },
  )

  test.each([
    ['clusters', { tenant_id: 'nobody' }],
    ['cluster_state', { cluster_id: 'nobody' }],
    ['nodes', { cluster_id: 'nobody' }],
    ['config_bundles', { cluster_id: 'nobody' }],
    ['config_bundles', { created_by: 'nobody' }],
    ['credentials', { tenant_id: 'nobody' }],
    ['credentials', { tenant_id: 'a', cluster_id: 'nobody' }],
    ['credentials', { node_id: 'nobody' }],
    ['credentials', { credential_id: 'nobody' }],
  ])('%s refuses %p, which is not there', async (table, values) => {
    await insertBasics(connection)
    expect(await refusal(table, values as Row)).toMatch(/foreign key constraint/i)
  })

  /** After the deletion: how many rows of tenant a are left in each table; those of tenant b always stay. */
  test.each([
    ['a tenant', `DELETE FROM tenants WHERE id = 'a'`, [0, 0, 0, 0, 0, 0]],
    ['a cluster', `DELETE FROM clusters WHERE id = 'a1'`, [1, 0, 0, 0, 0, 0]],
    ['a node', `DELETE FROM nodes WHERE id = 'n1'`, [1, 1, 1, 0, 1, 0]],
  ])('%s takes with it what is its own, and nothing else', async (_, sql, left) => {
    await insertAll(connection)
    await connection.script(sql)
    const count = async (table: string, where: string) =>
      (await connection.query(`SELECT 1 FROM ${table} WHERE ${where}`)).length
    const of = async (tenant: string) => [
      await count('tenants', `id = '${tenant}'`),
      await count('clusters', `tenant_id = '${tenant}'`),
      await count('cluster_state', `cluster_id = '${tenant}1'`),
      await count('nodes', `tenant_id = '${tenant}'`),
      await count('config_bundles', `tenant_id = '${tenant}'`),
      await count('credentials', `tenant_id = '${tenant}'`),
    ]
    expect(await of('a')).toEqual(left)
    expect(await of('b')).toEqual([1, 1, 1, 1, 1, 1])
  })

  test('a bundle outlives the node that uploaded it', async () => {
    await insertBasics(connection)
    expect(await connection.query(`SELECT created_by FROM config_bundles WHERE tenant_id = 'a'`)).toEqual([
      { created_by: 'n1' },
    ])
    await connection.script(`DELETE FROM nodes WHERE id = 'n1'`)
    expect(await connection.query(`SELECT created_by FROM config_bundles WHERE tenant_id = 'a'`)).toEqual([
      { created_by: null },
    ])
  })
})
