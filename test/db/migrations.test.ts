import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { type Connection, openConnection } from '../../src/db/client/connection.ts'
import { migrationsFolder } from '../../src/db/migrations/files.ts'
import { assertCurrent, migrateDown, migrateUp, migrationStatus } from '../../src/db/migrations/index.ts'
import { exclusively } from '../../src/db/migrations/lock.ts'
import { createDatabase, engines, type TestDatabase } from '../support/database.ts'
import { copyMigrations, creating, everythingIn, names, startMigrating } from '../support/migrations.ts'
import { insertBasics } from '../support/rows.ts'
import { openSchemaEngine } from '../support/schema-engine.ts'
import { structureOf } from '../support/structure.ts'

describe.each(engines)('migrations on %s', (engine) => {
  let database: TestDatabase
  let connection: Connection

  beforeEach(async () => {
    database = await createDatabase(engine)
    connection = await openConnection(database.url)
  })

  afterEach(async () => {
    await connection.close()
    await database.drop()
  })

  /** The database as Prisma's own engine sees it; SQLite has one user at a time then. */
  async function withPrisma<T>(work: (prisma: Awaited<ReturnType<typeof openSchemaEngine>>) => Promise<T>): Promise<T> {
    await connection.close()
    const prisma = await openSchemaEngine(database)
    try {
      return await work(prisma)
    } finally {
      await prisma.close()
      connection = await openConnection(database.url)
    }
  }

  test('an empty database gets each migration, in order, and says so', async () => {
    const log: string[] = []
    expect(await migrateUp(connection, (message) => log.push(message))).toEqual(names)
    expect(log).toEqual(names.map((name) => `applied migration ${name}`))
    await expect(assertCurrent(connection)).resolves.toBeUndefined()
  })

  test('a database that is current is left alone', async () => {
    await migrateUp(connection)
    const before = await everythingIn(connection)
    expect(await migrateUp(connection)).toEqual([])
    expect(await everythingIn(connection)).toEqual(before)
  })

  test('the status tells what is applied, since when, and what is pending, and changes nothing', async () => {
    const pending = { state: 'pending', appliedAt: null }
    expect(await migrationStatus(connection)).toEqual(names.map((name) => ({ name, ...pending })))
    await expect(connection.query('SELECT 1 FROM "_prisma_migrations"')).rejects.toHaveProperty('message')
    await migrateUp(connection)
    await migrateDown(connection)
    const status = await migrationStatus(connection)
    expect(status.map(({ name }) => name)).toEqual(names)
    expect(status.at(-1)).toMatchObject(pending)
    for (const { state, appliedAt } of status.slice(0, -1)) {
      expect(state).toBe('applied')
      expect(Math.abs(Date.now() - Number(appliedAt))).toBeLessThan(60_000)
    }
  })

  test('each migration can be taken back and applied again, and the structure is the same as before', async () => {
    const structures = [await structureOf(connection)]
    for (const [index, name] of names.entries()) {
      const { folder, drop } = await copyMigrations(names.slice(0, index + 1))
      expect(await migrateUp(connection, undefined, folder)).toEqual([name])
      structures.push(await structureOf(connection))
      expect(structures.at(-1)).not.toEqual(structures.at(-2))
      expect(await migrateDown(connection, 1, folder)).toEqual([name])
      expect(await structureOf(connection)).toEqual(structures.at(-2))
      expect(await migrateUp(connection, undefined, folder)).toEqual([name])
      expect(await structureOf(connection)).toEqual(structures.at(-1))
      await drop()
    }
  })

  test('rows of all six tables survive each migration after them, and its way back', async () => {
    const tables = ['tenants', 'clusters', 'cluster_state', 'replicas', 'nodes', 'config_bundles']
    const rows = async () => {
      const all: Record<string, unknown>[][] = []
      for (const table of tables) all.push(await connection.query(`SELECT * FROM ${table}`))
      return all
    }
    const first = names.indexOf(creating('config_bundles')) + 1
    for (let count = first; count <= names.length; count += 1) {
      const { folder, drop } = await copyMigrations(names.slice(0, count))
      if (count === first) {
        await migrateUp(connection, undefined, folder)
        await insertBasics(connection)
      } else {
        const before = await rows()
        expect(before.map(({ length }) => length)).toEqual([2, 2, 2, 1, 2, 2])
        await migrateUp(connection, undefined, folder)
        // A column more is no difference.
        expect(await rows()).toMatchObject(before)
        await migrateDown(connection, 1, folder)
        expect(await rows()).toEqual(before)
        await migrateUp(connection, undefined, folder)
      }
      await drop()
    }
  })

  test('several can be taken back at once, newest first, and no more than there are', async () => {
    await migrateUp(connection)
    expect(await migrateDown(connection, 2)).toEqual(names.slice(-2).toReversed())
    expect(await migrateDown(connection, 99)).toEqual(names.slice(0, -2).toReversed())
    expect(await migrateDown(connection)).toEqual([])
    expect(await structureOf(connection)).toEqual([])
    expect(await migrateUp(connection)).toEqual(names)
  })

  test('Prisma reads the same history: up, one back, and up again', async () => {
    const clean = { editedMigrationNames: [], failedMigrationNames: [], hasMigrationsTable: true, history: null }
    const diagnose = () => withPrisma((prisma) => prisma.diagnose(migrationsFolder))
    await migrateUp(connection)
    expect(await diagnose()).toEqual(clean)
    const [newest] = await migrateDown(connection)
    const history = { diagnostic: 'databaseIsBehind', unappliedMigrationNames: [newest] }
    expect(await diagnose()).toEqual({ ...clean, history })
    await migrateUp(connection)
    expect(await diagnose()).toEqual(clean)
  })

  test('what Prisma deployed is current to us', async () => {
    // With better-sqlite3, Prisma's engine cannot create the ledger; here it finds an emptied one.
    if (engine === 'sqlite') await migrateUp(connection).then(() => migrateDown(connection, names.length))
    expect(await withPrisma((prisma) => prisma.deploy(migrationsFolder))).toEqual(names)
    await expect(assertCurrent(connection)).resolves.toBeUndefined()
    expect(await migrateUp(connection)).toEqual([])
    for (const { appliedAt } of await migrationStatus(connection)) {
      expect(Math.abs(Date.now() - Number(appliedAt))).toBeLessThan(60_000)
    }
    expect(await migrateDown(connection, 99)).toEqual(names.toReversed())
  })

  test('four processes that start at once apply each migration once, and none fails', async () => {
    const processes = await Promise.all([1, 2, 3, 4].map(() => startMigrating(database.url)))
    // Held back until all of them are at the door.
    await exclusively(connection, async () => {
      for (const { go } of processes) go()
      await sleep(500)
    })
    const ends = await Promise.all(processes.map((process) => process.end()))
    expect(ends.map(({ code, errors }) => ({ code, errors }))).toEqual(ends.map(() => ({ code: 0, errors: '' })))
    expect(ends.flatMap(({ applied }) => JSON.parse(applied) as string[]).sort()).toEqual(names)
    expect(await connection.query('SELECT migration_name FROM "_prisma_migrations"')).toHaveLength(names.length)
    await assertCurrent(connection)
  })

  test('two connections of one process do not block each other either', async () => {
    const other = await openConnection(database.url)
    const applied = await Promise.all([migrateUp(connection), migrateUp(other)])
    await other.close()
    expect(applied.flat().sort()).toEqual(names)
  })
})
