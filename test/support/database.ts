import { randomBytes } from 'node:crypto'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'

/** Code that touches the database is tested on each: `describe.each(engines)('… on %s', (engine) => …)`. */
export const engines = ['sqlite', 'postgresql'] as const
export type Engine = (typeof engines)[number]

export interface TestDatabase {
  readonly engine: Engine
  /** As DATABASE_URL takes it. */
  readonly url: string
  /** Closes every connection to it and deletes it. */
  drop(): Promise<void>
}

/** A fresh, empty database. */
export async function createDatabase(engine: Engine): Promise<TestDatabase> {
  return engine === 'sqlite' ? createFile() : createOnServer(setting('TEST_POSTGRES_URL'))
}

/** A fresh database with all migrations applied: a copy of one that was migrated once, before the first test. */
export async function createMigratedDatabase(engine: Engine): Promise<TestDatabase> {
  return engine === 'sqlite'
    ? createFile(setting('TEST_SQLITE_TEMPLATE'))
    : createOnServer(setting('TEST_POSTGRES_URL'), setting('TEST_POSTGRES_TEMPLATE'))
}

async function createFile(template?: string): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'orrery-sqlite-'))
  const file = join(folder, 'orrery.db')
  if (template !== undefined) await copyFile(template, file)
  return { engine: 'sqlite', url: `file:${file}`, drop: () => rm(folder, { recursive: true, force: true }) }
}

/** A fresh database of a PostgreSQL server, whose maintenance database is `server`: empty, or a copy of another one. */
export async function createOnServer(server: string, template?: string): Promise<TestDatabase> {
  const name = `orrery_test_${randomBytes(8).toString('hex')}`
  await runOn(server, `CREATE DATABASE ${name}${template === undefined ? '' : ` TEMPLATE ${template}`}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { engine: 'postgresql', url: url.href, drop: () => runOn(server, `DROP DATABASE ${name} WITH (FORCE)`) }
}

async function runOn(server: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** A setting that global-setup.ts left in the environment, which Jest passes on to its workers. */
function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set: these tests need the globalSetup of jest.config.mjs`)
  return value
}
