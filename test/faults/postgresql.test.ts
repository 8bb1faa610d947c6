import { randomUUID } from 'node:crypto'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Client } from 'pg'

import { UnavailableError } from '../../src/base/errors.ts'
import { openDatabase } from '../../src/db/client/client.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createTenant, setMtu } from '../support/served.ts'
import { createWorld, type World } from '../support/world.ts'

describe('on PostgreSQL, what the server fails with', () => {
  let app: TestApp
  let world: World
  let other: Client
  beforeEach(async () => {
    app = await startApp('postgresql')
    world = await createWorld(app, 'fault', randomUUID())
    other = new Client({ connectionString: app.url })
    await other.connect()
  })
  afterEach(async () => {
    await other.end()
    await app.close()
  })

  /** Lets every write to tenants and clusters fail as the server does when something is wrong with it. */
  const fail = (code: string) =>
    other.query(`CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file "base/5/1"' USING ERRCODE = '${code}'; END $$;
      CREATE OR REPLACE TRIGGER fail BEFORE INSERT OR UPDATE ON tenants FOR EACH ROW EXECUTE FUNCTION fail();
      CREATE OR REPLACE TRIGGER fail BEFORE INSERT OR UPDATE ON clusters FOR EACH ROW EXECUTE FUNCTION fail()`)

  test('is a 503 with its code and the time to come again, in transactions and outside, and is said once', async () => {
    const seen: unknown[] = []
    for (const code of ['53100', '53200', '53300', '57P03', '58030', 'XX001', 'XX002', '25006', '08006']) {
      await fail(code)
      const outside = await app.answer(app.operator, createTenant, { name: randomUUID() })
      const inside = await app.answer(world.admin, setMtu, { id: world.nodeId, mtu: 1400 })
      const told = [outside, inside].map(({ status, errors = [] }) => [status, errors[0]?.extensions])
      // The one in a transaction is answered as the other.
      expect({ code, told: told[1] }).toEqual({ code, told: told[0] })
      seen.push([code, ...(told[0] ?? [])])
      expect(JSON.stringify([outside, inside])).not.toContain('base/5')
    }
    const later = (code: string, retryAfterSeconds: number) => ({ code, retryAfterSeconds })
    expect(seen).toEqual([
      ['53100', 503, later('STORAGE_FULL', 30)],
      ['53200', 503, later('OVERLOADED', 5)],
      ['53300', 503, later('OVERLOADED', 5)],
      ['57P03', 503, later('DATABASE_UNREACHABLE', 5)],
      ['58030', 503, later('STORAGE_FAILED', 30)],
      ['XX001', 503, later('DATABASE_DAMAGED', 60)],
      ['XX002', 503, later('DATABASE_DAMAGED', 60)],
      ['25006', 503, later('STORAGE_READ_ONLY', 30)],
      ['08006', 503, later('DATABASE_UNREACHABLE', 5)],
    ])
    expect([...app.database.faults.present].sort()).toEqual(
      ['damaged', 'disk', 'full', 'overloaded', 'readOnly', 'unreachable'].sort(),
    )
    expect(app.takeLog().filter(({ msg }) => msg === 'request failed')).toEqual([])
  })

  test('and a statement that waits too long is ended by the server, and changes nothing later', async () => {
    const database = await openDatabase(app.url, { poolSize: 1, statementDeadline: 3000 })
    try {
      const name = randomUUID()
      await other.query('BEGIN')
      await other.query('LOCK TABLE tenants')
      const waiting = database.client.tenant.create({ data: { id: randomUUID(), name } })
      await expect(waiting).rejects.toThrow(UnavailableError)
      await expect(database.reader.read('SELECT count(*) FROM tenants', [])).rejects.toThrow(UnavailableError)
      await other.query('ROLLBACK')
      expect(database.faults.present).toEqual(['overloaded'])
      expect(await database.client.tenant.count({ where: { name } })).toBe(0)
    } finally {
      await database.close()
    }
  })

  test('connections that it closes are replaced before anybody who reads hears of it', async () => {
    for (let times = 0; times < 5; times += 1) {
      const answer = await app.answer(world.nodeToken, '{ viewer { __typename } }')
      expect(answer).toMatchObject({ status: 200, data: { viewer: { __typename: 'Node' } } })
      await other.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
    }
  })
})
