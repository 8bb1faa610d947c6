import { randomUUID } from 'node:crypto'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'

import { afterEach, beforeEach, expect, test } from '@jest/globals'

import { openDatabase, type Database } from '../../src/db/client/client.ts'
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts'

/* Long reads of SQLite, which a thread makes: what they promise beside the program's other work. */

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

const tenantNames = 'SELECT name, created_at FROM tenants WHERE name IN (SELECT value FROM json_each(?)) ORDER BY name'
/** Counts to a number; a million takes some tenths of a second. */
const counting =
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) AS c FROM n'
const million = 1_000_000
const owner = 'tenant'

const read = (
  sql: string,
  values: readonly (string | number | readonly string[])[],
  signal?: AbortSignal,
  of = owner,
) => database.reader.readLong(sql, values, { owner: of, signal })

test('a long read gives the rows of a usual one, the latest that were committed, however many', async () => {
  const data = Array.from({ length: 1201 }, (_, index) => ({ id: randomUUID(), name: `t${index}` }))
  await database.client.tenant.createMany({ data })
  const values = [data.map(({ name }) => name)]
  const rows = await read(tenantNames, values)
  expect(rows).toHaveLength(1201)
  expect(rows).toEqual(await database.reader.read(tenantNames, values))
})

test('others are served while it runs', async () => {
  await read(counting, [1])
  const progress = { isDone: false }
  const long = read(counting, [million]).finally(() => (progress.isDone = true))
  let longest = 0
  for (let last = performance.now(); !progress.isDone; last = performance.now()) {
    await database.reader.read('SELECT 1 AS one', [])
    await setImmediate()
    longest = Math.max(longest, performance.now() - last)
  }
  const began = performance.now()
  expect(await long).toEqual(await database.reader.read(counting, [million]))
  const alone = performance.now() - began
  expect(longest).toBeLessThan(alone / 2)
})

test('it cannot write, and a failure harms neither the next read nor the thread', async () => {
  const failing = read('DELETE FROM tenants RETURNING id', [])
  const next = read(counting, [5])
  await expect(failing).rejects.toMatchObject({ fault: 'readOnly' })
  expect(await next).toEqual([{ c: 5 }])
})

test('one runs at a time, and owners take turns', async () => {
  const order: string[] = []
  const asked = ['a', 'a', 'a', 'b'].map((of, index) =>
    read(counting, [1000], undefined, of).then(() => order.push(`${of}${index}`)),
  )
  await Promise.all(asked)
  expect(order).toEqual(['a0', 'a1', 'b3', 'a2'])
})

test('no more waits for an owner than its share', async () => {
  const all = await Promise.allSettled(Array.from({ length: 120 }, () => read(counting, [1])))
  const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []))
  expect(refused).toHaveLength(19)
  expect(refused[0]).toMatchObject({ name: 'LimitError', retryAfterSeconds: expect.any(Number) as unknown })
})

test('one whose client leaves ends, and the next does not run beside it', async () => {
  await read(counting, [1])
  const left = new AbortController()
  const began = performance.now()
  await database.reader.read(counting, [million])
  const alone = performance.now() - began
  const abandoned = read(counting, [12 * million], left.signal)
  const unasked = read(counting, [million], left.signal)
  const next = read(counting, [5])
  await sleep(alone / 4)
  const start = performance.now()
  left.abort()
  await expect(abandoned).rejects.toThrow('the client has left')
  await expect(unasked).rejects.toThrow('the client has left')
  expect(performance.now() - start).toBeLessThan(alone)
  expect(await next).toEqual([{ c: 5 }])
  expect(performance.now() - start).toBeGreaterThan(4 * alone)
})

test('one that takes too long is refused as on PostgreSQL', async () => {
  const impatient = await openDatabase(files.url, { statementDeadline: 500 })
  const waiting = { owner }
  await expect(impatient.reader.readLong(counting, [10 * million], waiting)).rejects.toMatchObject({
    name: 'UnavailableError',
    fault: 'overloaded',
  })
  await impatient.close()
})
