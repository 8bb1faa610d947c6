import { appendFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { type Connection, openConnection } from '../../src/db/client/connection.ts'
import {
  assertCurrent,
  migrateDown,
  MigrationError,
  migrateUp,
  migrationStatus,
} from '../../src/db/migrations/index.ts'
import { createMigratedDatabase, engines, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import {
  addMigration,
  copyMigrations,
  creating,
  everythingIn,
  names,
  since,
  startMigrating,
} from '../support/migrations.ts'
import { openSchemaEngine } from '../support/schema-engine.ts'
import { structureOf } from '../support/structure.ts'

describe.each(engines)('migrations that cannot be applied on %s', (engine) => {
  let database: TestDatabase
  let connection: Connection
  let folder: string
  let dropFolder: () => Promise<void>

  beforeEach(async () => {
    database = await createMigratedDatabase(engine)
    connection = await openConnection(database.url)
    ;({ folder, drop: dropFolder } = await copyMigrations())
  })

  afterEach(async () => {
    await connection.close()
    await database.drop()
    await dropFolder()
  })

  const another = '900_more'
  const pathOf = (name: string, file: string) => join(folder, engine, name, file)

  /** Every command refuses, with one and the same message, and nothing is other than before. */
  async function expectRefused(...parts: string[]): Promise<void> {
    const before = await everythingIn(connection)
    const commands = [
      () => migrateUp(connection, undefined, folder),
      () => migrateDown(connection, 1, folder),
      () => migrationStatus(connection, folder),
      () => assertCurrent(connection, folder),
    ]
    for (const command of commands) {
      const error: unknown = await command().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(MigrationError)
      for (const part of [...parts, 'Nothing was changed'])
        expect(error).toHaveProperty('message', expect.stringContaining(part))
    }
    expect(await everythingIn(connection)).toEqual(before)
  }

  test('a file that was edited after it was applied, even by a comment', async () => {
    const edited = creating('cluster_state')
    await appendFile(pathOf(edited, 'migration.sql'), '-- a later thought\n')
    await addMigration(folder, connection, another, 'CREATE TABLE more (id TEXT);')
    await expectRefused(`Edited after it was applied: ${edited}/migration.sql`, 'Put back the file')
  })

  test('a migration that Prisma began and did not finish; what the message says to do makes it good', async () => {
    await addMigration(folder, connection, another, 'CREATE TABLE more (id TEXT); CREATE TABLE nonsense (;')
    await connection.close()
    const prisma = await openSchemaEngine(database)
    await expect(prisma.deploy(folder)).rejects.toHaveProperty('message')
    await prisma.close()
    connection = await openConnection(database.url)
    await expectRefused(`The migration ${another} was started`, 'did not finish', 'Restore the database from a backup')

    const error: unknown = await assertCurrent(connection, folder).catch((reason: unknown) => reason)
    const [repair = ''] = /UPDATE .*'900_more'/.exec(String(error)) ?? []
    await connection.script(`DROP TABLE IF EXISTS more; ${repair}`)
    await writeFile(pathOf(another, 'migration.sql'), 'CREATE TABLE more (id TEXT);')
    expect(await migrateUp(connection, undefined, folder)).toEqual([another])
  })

  test('a database that is newer than the program', async () => {
    await addMigration(folder, connection, another, 'CREATE TABLE more (id TEXT);')
    await migrateUp(connection, undefined, folder)
    await rm(join(folder, engine, another), { recursive: true })
    await expectRefused('newer than this program', another, 'orrery migrate down')
  })

  test('a database with tables of somebody else', async () => {
    await migrateDown(connection, names.length)
    await connection.script('CREATE TABLE wp_posts (id TEXT)')
    await expectRefused('not empty (wp_posts)', 'Set DATABASE_URL to an empty database')
    await connection.script('DROP TABLE "_prisma_migrations"')
    const error: unknown = await migrateUp(connection, undefined, folder).catch((reason: unknown) => reason)
    expect(error).toHaveProperty('message', expect.stringContaining('not empty (wp_posts)'))
    expect(await structureOf(connection)).toEqual(expect.arrayContaining([expect.stringContaining('wp_posts')]))
    await expect(connection.query('SELECT 1 FROM "_prisma_migrations"')).rejects.toHaveProperty('message')
  })

  test('pending migrations, to a server that expects none', async () => {
    const pending = since(creating('nodes'))
    await migrateDown(connection, pending.length)
    const error: unknown = await assertCurrent(connection).catch((reason: unknown) => reason)
    expect(String(error)).toContain(`lacks ${pending.join(', ')}`)
    expect(String(error)).toContain('"orrery migrate up"')
  })

  test('no way back: nothing is taken back, not even what could be', async () => {
    const name = creating('nodes')
    await rm(pathOf(name, 'down.sql'))
    const before = await everythingIn(connection)
    const error: unknown = await migrateDown(connection, since(name).length, folder).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(MigrationError)
    expect(String(error)).toContain(`${name} cannot be taken back: it has no down.sql.`)
    expect(String(error)).toContain('Nothing was changed')
    expect(await everythingIn(connection)).toEqual(before)
    expect(await migrateDown(connection, 1, folder)).toEqual(names.slice(-1))
  })

  const addA = 'ALTER TABLE "nodes" ADD COLUMN "a" TEXT'
  test.each([
    `${addA}; -- a note\nALTER TABLE "nodes" ADD COLUMN "b" INTEGER NOT NULL DEFAULT 7;`,
    `-- a note;\n${addA};`,
  ])('added columns need no written way back: %s', async (sql) => {
    const before = await structureOf(connection)
    await addMigration(folder, connection, another, sql)
    expect(await migrateUp(connection, undefined, folder)).toEqual([another])
    expect(await migrateDown(connection, 1, folder)).toEqual([another])
    expect(await structureOf(connection)).toEqual(before)
  })

  test.each([
    `${addA}; CREATE INDEX more ON nodes (a);`,
    `${addA}; UPDATE nodes SET a = 'x';`,
    `${addA} DEFAULT ';'; CREATE TABLE more (id TEXT);`,
    'CREATE TABLE more (id TEXT);',
    ...(engine === 'postgresql' ? [`${addA}, ADD COLUMN "b" TEXT;`, `${addA}, DROP COLUMN "mtu";`] : []),
  ])('any other change does: %s', async (sql) => {
    await addMigration(folder, connection, another, sql)
    await migrateUp(connection, undefined, folder)
    const before = await everythingIn(connection)
    await expect(migrateDown(connection, 1, folder)).rejects.toThrow(`${another} cannot be taken back`)
    expect(await everythingIn(connection)).toEqual(before)
  })

  test.each([0, -1, 1.5, Number.NaN])('%d steps back', async (steps) => {
    await expect(migrateDown(connection, steps)).rejects.toThrow(/at least 1/)
  })

  test('a program without its migrations', async () => {
    const name = creating('credentials')
    await rm(pathOf(name, 'migration.sql'))
    await expectRefusedToStart(new RegExp(`${name} has no migration.sql. Install it again`))
    await rm(folder, { recursive: true })
    await expectRefusedToStart(/no migrations in .* Install it again/)
    ;({ folder, drop: dropFolder } = await copyMigrations())
  })

  const expectRefusedToStart = (message: RegExp) =>
    expect(migrateUp(connection, undefined, folder)).rejects.toThrow(message)

  test('a migration that fails half-way leaves nothing behind, and those before it stay', async () => {
    await migrateDown(connection)
    await addMigration(folder, connection, another, 'CREATE TABLE more (id TEXT); INSERT INTO missing VALUES (1);')
    await expectRefusedToStart(/900_more failed and was undone: .*missing.* The migrations before it stay/)
    const status = await migrationStatus(connection, folder)
    expect(status.map(({ state }) => state)).toEqual([...names.map(() => 'applied'), 'pending'])
    await expect(connection.query('SELECT 1 FROM more')).rejects.toHaveProperty('message')
    await writeFile(pathOf(another, 'migration.sql'), 'CREATE TABLE more (id TEXT);')
    expect(await migrateUp(connection, undefined, folder)).toEqual([another])
  })

  /** Whether somebody is in the middle of migrating. */
  async function isLocked(): Promise<boolean> {
    if (engine === 'postgresql') {
      const locks = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database =
        (SELECT oid FROM pg_database WHERE datname = current_database())`
      return (await connection.query(locks)).length > 0
    }
    const begun = connection.script('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE')
    return begun
      .then(() => connection.script('ROLLBACK'))
      .then(
        () => false,
        () => true,
      )
  }

  test('a process that is killed in the middle of a migration leaves nothing behind', async () => {
    const slow = {
      sqlite: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;',
      postgresql: 'SELECT pg_sleep(600);',
    }
    await addMigration(folder, connection, another, `CREATE TABLE more (id TEXT); ${slow[engine]}`)
    const before = await everythingIn(connection)
    const migrating = await startMigrating(database.url, folder)
    migrating.go()
    await eventually('the migration has begun', isLocked)
    migrating.kill()
    expect(await migrating.end()).toMatchObject({ code: null, applied: '' })
    expect(await everythingIn(connection)).toEqual(before)
    expect(await migrationStatus(connection, folder)).toContainEqual({
      name: another,
      state: 'pending',
      appliedAt: null,
    })
  })
})

describe('migrations that rebuild a table on sqlite', () => {
  const rebuild = (table: string, rows: string) => `
    ${table.replace('"tenants"', '"new_tenants"')};
    INSERT INTO new_tenants SELECT * FROM tenants WHERE ${rows};
    DROP TABLE tenants;
    ALTER TABLE new_tenants RENAME TO tenants;`

  test.each([
    ['keep the rows that refer to it', 'true'],
    ['are refused where they leave a row that refers to nothing', 'false'],
  ])('%s', async (_, rows) => {
    const database = await createMigratedDatabase('sqlite')
    const connection = await openConnection(database.url)
    await connection.script(`INSERT INTO tenants (id, name) VALUES ('t', 't');
      INSERT INTO clusters (id, tenant_id, name, cluster_token_hash, firewall) VALUES ('c', 't', 'c', 'h', '{}')`)
    const { folder, drop } = await copyMigrations()
    const [tenants] = await connection.query(`SELECT sql FROM sqlite_master WHERE name = 'tenants'`)
    await addMigration(folder, connection, '900_rebuild', rebuild(String(tenants?.['sql']), rows))
    const migrating = migrateUp(connection, undefined, folder)
    if (rows === 'true') expect(await migrating).toEqual(['900_rebuild'])
    else await expect(migrating).rejects.toThrow(/a row of clusters refers to one of tenants that is gone/)
    expect(await connection.query('SELECT id FROM tenants')).toHaveLength(1)
    expect(await connection.query('SELECT id FROM clusters')).toHaveLength(1)
    expect(await connection.query('PRAGMA foreign_keys')).toEqual([{ foreign_keys: 1 }])
    await connection.close()
    await database.drop()
    await drop()
  })
})
