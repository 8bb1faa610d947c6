import { afterAll, beforeAll, expect, test } from '@jest/globals'

import { PostgresConnections } from '../../src/db/client/postgres-connections.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase('postgresql')
})
afterAll(() => database.drop())

test('a connection that the server ends between two statements fails the next one, and nothing else', async () => {
  const pool = new PostgresConnections(database.url).pool(2)
  try {
    const client = await pool.connect()
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()))
    // Nobody listens to its errors, as nobody does inside of a transaction.
    await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
    await ended
    await expect(client.query('SELECT 1')).rejects.toThrow()
    client.release()
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  } finally {
    await pool.end()
  }
})
