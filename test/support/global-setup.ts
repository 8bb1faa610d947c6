import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { openConnection } from '../../src/db/client/connection.ts'
import { migrateUp } from '../../src/db/migrations/index.ts'
import { createDatabase, type Engine, type TestDatabase } from './database.ts'
import { startPostgres } from './postgres.ts'

declare global {
  /** Set by globalSetup for globalTeardown, which runs in the same process: the work to undo, last first. */
  var cleanups: (() => Promise<void>)[] | undefined
}

/** For speed: the data of a test need not survive a power cut, and autovacuum would block the templates. */
const settings = {
  max_connections: '300',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
}

/**
 * Before the first test: builds the program of dist, which tests start, unless it is up to date; starts one PostgreSQL
 * for all workers, unless TEST_POSTGRES_URL names one already; and makes one migrated database of each engine, which
 * createMigratedDatabase copies. The workers learn of them from the environment.
 */
export default async function globalSetup(): Promise<void> {
  globalThis.cleanups = []
  // In development, graphql asks of each object whether it is another graphql's: for the suites that walk the schema, a
  // third of their processor time.
  process.env['NODE_ENV'] = 'production'
  const [, server] = await Promise.all([
    promisify(execFile)(process.execPath, ['scripts/bundle.mjs']),
    process.env['TEST_POSTGRES_URL'] === undefined ? startPostgres(settings) : null,
  ])
  if (server) {
    globalThis.cleanups.push(() => server.stop())
    process.env['TEST_POSTGRES_URL'] = server.url
  }
  const [sqlite, postgresql] = await Promise.all([createTemplate('sqlite'), createTemplate('postgresql')])
  process.env['TEST_SQLITE_TEMPLATE'] = sqlite.url.replace(/^file:/, '')
  process.env['TEST_POSTGRES_TEMPLATE'] = new URL(postgresql.url).pathname.slice(1)
}

async function createTemplate(engine: Engine): Promise<TestDatabase> {
  const database = await createDatabase(engine)
  globalThis.cleanups?.push(() => database.drop())
  const connection = await openConnection(database.url)
  await migrateUp(connection)
  await connection.close()
  return database
}
