import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'

import { engineOf, openConnection } from '../../src/db/client/connection.ts'
import { createDatabase, createMigratedDatabase, engines } from '../support/database.ts'

describe('a database URL', () => {
  test.each([
    ['file:./data/orrery.db', 'sqlite'],
    ['file:/var/lib/orrery.db', 'sqlite'],
    ['postgres://user@host/orrery', 'postgresql'],
    ['postgresql://user@host/orrery', 'postgresql'],
  ])('%s names %s', (url, engine) => {
    expect(engineOf(url)).toBe(engine)
  })

  test.each(['', 'orrery.db', 'mysql://host/orrery', 'postgresql:orrery'])('"%s" is refused', async (url) => {
    await expect(openConnection(url)).rejects.toThrow('DATABASE_URL must begin with file: (SQLite) or postgresql://')
  })
})

test('a SQLite file and its folder are made where they are missing, for their owner only', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'orrery-connection-'))
  const folder = join(parent, 'made', 'here')
  const connection = await openConnection(`file:${folder}/orrery.db`)
  await connection.close()
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect((await stat(join(folder, 'orrery.db'))).mode & 0o777).toBe(0o600)
  await rm(parent, { recursive: true })
})

test.each(engines)('%s answers numbered parameters with rows by column name', async (engine) => {
  const database = await createDatabase(engine)
  const connection = await openConnection(database.url)
  expect(connection.engine).toBe(engine)
  await connection.script('CREATE TABLE t (a TEXT, b INTEGER); INSERT INTO t VALUES (NULL, 1)')
  expect(await connection.query('INSERT INTO t (a, b) VALUES ($2, $1)', [2, 'two'])).toEqual([])
  expect(await connection.query('SELECT * FROM t WHERE b > $1 ORDER BY b', [0])).toEqual([
    { a: null, b: 1 },
    { a: 'two', b: 2 },
  ])
  await connection.close()
  await database.drop()
})

test.each(engines)('databases of the tests on %s are apart from each other', async (engine) => {
  const [one, other] = await Promise.all([createMigratedDatabase(engine), createMigratedDatabase(engine)])
  const connections = await Promise.all([openConnection(one.url), openConnection(other.url)])
  await connections[0].script(`INSERT INTO tenants (id, name) VALUES ('t', 't')`)
  expect(await connections[0].query('SELECT id FROM tenants')).toEqual([{ id: 't' }])
  expect(await connections[1].query('SELECT id FROM tenants')).toEqual([])
  await Promise.all(connections.map((connection) => connection.close()))
  await Promise.all([one.drop(), other.drop()])
})
