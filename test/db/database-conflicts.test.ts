import { randomUUID } from 'node:crypto'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { Client } from 'pg'

import { systemOperator } from '../../src/auth/system.ts'
import { generateNodeKeyPair, formatPublicKey } from '../../src/pki/keys.ts'
import { startApp, startBeside, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { mutate } from '../support/mutate.ts'
import { createWorld, type World } from '../support/world.ts'

const setMtu = `mutation ($id: UUID!, $mtu: Int!) { updateNodeMtu(input: { nodeId: $id, mtu: $mtu }) {
  ... on UpdateNodeMtuPayload { node { mtu } } ... on Error { __typename message } } }`
const createTenant = `mutation ($name: String!) { createTenant(input: { name: $name }) {
  ... on CreateTenantPayload { tenant { name } } ... on Error { __typename message } } }`

/** Everything that is told of the clusters from here on. */
function told(app: TestApp): string[] {
  const kinds: string[] = []
  systemOperator(app.database).changes.listen(({ kind }) => kinds.push(kind))
  return kinds
}

describe('on PostgreSQL, what the database takes back because of others', () => {
  let app: TestApp
  let world: World
  /** Somebody else, at the same rows. */
  let other: Client
  beforeEach(async () => {
    app = await startApp('postgresql')
    world = await createWorld(app, 'conflict', randomUUID())
    other = new Client({ connectionString: app.url })
    await other.connect()
  })
  afterEach(async () => {
    await other.end()
    await app.close()
  })

  /** Waits until a statement of the application waits for a lock. */
  async function untilItWaits(changing: Promise<unknown>): Promise<void> {
    // What a transaction has looked at once, it remembers.
    const forget = 'SELECT pg_stat_clear_snapshot()'
    const query = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    let ended: unknown = null
    void changing.then((answer) => (ended = answer))
    await eventually('a statement waits', async () => {
      if (ended !== null) throw new Error(`it did not wait: ${JSON.stringify(ended)}`)
      await other.query(forget)
      return (await other.query(query)).rowCount
    })
  }

  /** Counts the statements that begin to update clusters; a sequence does, which no rollback takes back. */
  async function countUpdates(): Promise<() => Promise<number>> {
    await other.query('CREATE SEQUENCE updates')
    await other.query(`CREATE FUNCTION count_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM nextval('updates'); RETURN NULL; END $$`)
    await other.query(
      'CREATE TRIGGER count_update BEFORE UPDATE ON clusters FOR EACH STATEMENT EXECUTE FUNCTION count_update()',
    )
    return async () => Number((await other.query<{ n: unknown }>('SELECT last_value AS n FROM updates')).rows[0]?.n)
  }
  /** The change's version, once more, and its end; and the other's own update. */
  const updatesOfTwoTries = 4

  test('by a deadlock is done again, and told once', async () => {
    const updates = await countUpdates()
    // Whoever notices it first is the one whose work is taken back.
    await other.query(`SET deadlock_timeout = '30s'`)
    await other.query('BEGIN')
    await other.query('UPDATE nodes SET mtu = mtu WHERE id = $1', [world.nodeId])
    const events = told(app)
    const changing = app.answer(world.admin, setMtu, { id: world.nodeId, mtu: 1400 })
    await untilItWaits(changing)
    await other.query('UPDATE clusters SET name = name WHERE id = $1', [world.clusterId])
    await other.query('COMMIT')
    expect(await changing).toMatchObject({ status: 200, data: { updateNodeMtu: { node: { mtu: 1400 } } } })
    expect(await updates()).toBe(updatesOfTwoTries)
    expect(events).toEqual(['changed', 'nodeChanged'])
  })

  test('by a serialization failure is done again', async () => {
    const { rows } = await other.query<{ name: string }>('SELECT current_database() AS name')
    await other.query(`ALTER DATABASE ${rows[0]?.name} SET default_transaction_isolation = 'repeatable read'`)
    const updates = await countUpdates()
    const strict = await startBeside(app)
    try {
      await other.query('BEGIN')
      await other.query('UPDATE clusters SET name = name WHERE id = $1', [world.clusterId])
      const changing = strict.answer(world.admin, setMtu, { id: world.nodeId, mtu: 1401 })
      await untilItWaits(changing)
      await other.query('COMMIT')
      expect(await changing).toMatchObject({ status: 200, data: { updateNodeMtu: { node: { mtu: 1401 } } } })
      expect(await updates()).toBe(updatesOfTwoTries)
    } finally {
      await strict.close()
    }
  })

  /**
   * Lets writes to a table fail, by the statement or at the commit.
   * @param times how often; a sequence counts, which no rollback takes back
   */
  async function fail(table: string, { when, code, times }: { when: When; code: string; times: number }) {
    await other.query(`CREATE SEQUENCE attempts`)
    await other.query(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('attempts') <= ${times} THEN RAISE EXCEPTION 'others' USING ERRCODE = '${code}'; END IF;
      RETURN NEW; END $$`)
    const deferred = when === 'at the commit' ? 'DEFERRABLE INITIALLY DEFERRED' : 'NOT DEFERRABLE'
    await other.query(`CREATE CONSTRAINT TRIGGER fail AFTER INSERT OR UPDATE ON ${table} ${deferred}
      FOR EACH ROW EXECUTE FUNCTION fail()`)
  }
  type When = 'by the statement' | 'at the commit'
  const attempts = async (): Promise<unknown> =>
    (await other.query<{ last_value: unknown }>('SELECT last_value FROM attempts')).rows[0]?.last_value

  const endless = Number.MAX_SAFE_INTEGER
  test.each<[string, When]>([
    ['40001', 'by the statement'],
    ['40P01', 'by the statement'],
    ['40001', 'at the commit'],
  ])('each time it is tried (%s, %s) ends with a word to try again, and nothing is told', async (code, when) => {
    await fail('clusters', { when, code, times: endless })
    const events = told(app)
    const { status, errors } = await app.answer(world.admin, setMtu, { id: world.nodeId, mtu: 1400 })
    expect({ status, errors }).toMatchObject({
      status: 503,
      errors: [
        { message: expect.stringContaining('try again'), extensions: { code: 'TRY_AGAIN', retryAfterSeconds: 1 } },
      ],
    })
    expect(await attempts()).toBe('5')
    expect(events).toEqual([])
  })

  test('is done again outside of transactions too, and its end has the same word', async () => {
    await fail('tenants', { when: 'by the statement', code: '40P01', times: 4 })
    const name = randomUUID()
    expect(await app.answer(app.operator, createTenant, { name })).toMatchObject({
      data: { createTenant: { tenant: { name } } },
    })
    await other.query(`ALTER SEQUENCE attempts RESTART`)
    await other.query(`CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM nextval('attempts'); RAISE EXCEPTION 'others' USING ERRCODE = '40P01'; END $$`)
    const answer = await app.answer(app.operator, createTenant, { name: randomUUID() })
    expect(answer).toMatchObject({ status: 503, errors: [{ extensions: { code: 'TRY_AGAIN' } }] })
    expect(await attempts()).toBe('5')
  })

  test('says when to come again in a header', async () => {
    await fail('tenants', { when: 'by the statement', code: '40001', times: endless })
    const response = await app.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${app.operator}` },
      body: JSON.stringify({ query: createTenant, variables: { name: randomUUID() } }),
    })
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  })

  test('enrolls a machine once, and tells of it once', async () => {
    await fail('clusters', { when: 'at the commit', code: '40001', times: 1 })
    const added: string[] = []
    systemOperator(app.database).changes.listen((event) => {
      if (event.kind === 'nodesAdded') added.push(...event.nodeIds)
    })
    const publicKey = formatPublicKey(generateNodeKeyPair().publicKey)
    const input = { name: 'twice', publicKey }
    const outcome = await mutate<{ node: { id: string } }>(app, world.clusterToken, 'enrollNode', input, 'node { id }')
    expect(added).toEqual([outcome.node.id])
    const { rows } = await other.query<{ id: string }>(`SELECT id FROM nodes WHERE name = 'twice'`)
    expect(rows).toEqual([{ id: outcome.node.id }])
  })

  test('does not lose what nodes report', async () => {
    await fail('nodes', { when: 'by the statement', code: '40P01', times: 1 })
    await mutate(app, world.nodeToken, 'reportNodeStatus', { nebulaVersion: '1.6.1' })
    await app.flush()
    const { rows } = await other.query('SELECT nebula_version FROM nodes WHERE id = $1', [world.nodeId])
    expect(rows).toEqual([{ nebula_version: '1.6.1' }])
  })
})

describe('on SQLite, a write lock that another process keeps', () => {
  let app: TestApp
  let other: InstanceType<typeof Sqlite>
  beforeEach(async () => {
    app = await startApp('sqlite')
    other = new Sqlite(app.url.replace('file:', ''))
  })
  afterEach(async () => {
    other.close()
    await app.close()
  })

  test('ends changes with a word to try again, and they go through once it is free', async () => {
    const world = await createWorld(app, 'locked', randomUUID())
    other.exec('BEGIN IMMEDIATE')
    // The driver waits five seconds for each.
    for (const [token, query, variables] of [
      [world.admin, setMtu, { id: world.nodeId, mtu: 1400 }],
      [app.operator, createTenant, { name: randomUUID() }],
    ] as const) {
      const answer = await app.answer(token, query, variables)
      expect(answer).toMatchObject({ status: 503, errors: [{ extensions: { code: 'TRY_AGAIN' } }] })
    }
    other.exec('ROLLBACK')
    expect(await app.answer(world.admin, setMtu, { id: world.nodeId, mtu: 1400 })).toMatchObject({
      data: { updateNodeMtu: { node: { mtu: 1400 } } },
    })
  }, 30_000)
})
