import { randomUUID } from 'node:crypto'

import { afterEach, beforeEach, expect, test } from '@jest/globals'

import { openDatabase, type Database } from '../../src/db/client/client.ts'
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts'

/* Large writes to SQLite, which a thread makes: what they promise beside the program's other writes. */

let files: TestDatabase
let database: Database

beforeEach(async () => {
  files = await createMigratedDatabase('sqlite')
  database = await openDatabase(files.url)
})
afterEach(async () => {
  await database.close()
  await files.drop()
})

const insert = `INSERT INTO tenants (id, name) SELECT value->>0, value->>1 FROM json_each(?) WHERE true RETURNING name`
const count = 'SELECT count(*) AS count FROM tenants WHERE json_array_length(?) >= 0'
const rows = (...names: string[]) => JSON.stringify(names.map((name) => [randomUUID(), name]))
const names = async () =>
  (await database.client.tenant.findMany({ select: { name: true }, orderBy: { name: 'asc' } })).map(({ name }) => name)

test('each statement runs with each chunk, in this order, and answers with its rows', async () => {
  const answers = await database.bulk({ statements: [insert, count], chunks: [rows('a', 'b'), rows('c')] })
  expect(answers).toEqual([[{ name: 'a' }, { name: 'b' }], [{ count: 2 }], [{ name: 'c' }], [{ count: 3 }]])
})

test('a failure takes all of its transaction back, says SQLite’s code, and harms neither the next write nor the thread', async () => {
  const failing = database.bulk({ statements: [insert], chunks: [rows('a'), rows('a')] })
  const next = database.bulk({ statements: [insert], chunks: [rows('b')] })
  await expect(failing).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' })
  expect(await next).toEqual([[{ name: 'b' }]])
  expect(await names()).toEqual(['b'])
})

test('it waits for the transaction that runs, and a write that comes after it waits for it', async () => {
  let bulk: Promise<unknown> = Promise.resolve()
  let after: Promise<unknown> = Promise.resolve()
  const seen: number[] = []
  await database.client.$transaction(async (tx) => {
    bulk = database.bulk({ statements: [insert], chunks: [rows('bulk')] })
    after = database.client.tenant
      .create({ data: { id: randomUUID(), name: 'after' } })
      .then(async () => seen.push((await names()).length))
    await tx.tenant.create({ data: { id: randomUUID(), name: 'transaction' } })
    expect(await names()).toEqual([])
  })
  await Promise.all([bulk, after])
  expect(seen).toEqual([3])
})
