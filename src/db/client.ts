import { PrismaPg } from '@prisma/adapter-pg'

import { PrismaClient as PostgresqlClient } from './generated/postgresql/client.ts'
import { PrismaClient as SqliteClient } from './generated/sqlite/client.ts'
import { sqliteAdapter } from './sqlite-adapter.ts'
import type { Engine } from './types.ts'

/** The raw client: reaches every row. Only db, auth, ha, main and cli may hold one. */
export interface Database {
  readonly engine: Engine
  readonly client: SqliteClient
  readonly close: () => Promise<void>
}

export interface DatabaseOptions {
  /** Called with the text of every SQL statement that runs. */
  readonly onQuery?: (sql: string) => void
  /** PostgreSQL: connections in the pool. */
  readonly poolSize?: number
}

/** Waiting for a turn at the database, and working in a transaction, in milliseconds: bounds, not expectations. */
const transactionOptions = { maxWait: 30_000, timeout: 30_000 }

/**
 * Opens the database of a URL (`file:…` or `postgresql://…`), which has been migrated.
 * SQLite's pragmas are read back from the connection: a database that is not in WAL mode, does not sync every commit
 * or does not check foreign keys is refused.
 */
export async function openDatabase(url: string, options: DatabaseOptions = {}): Promise<Database> {
  const engine = engineOf(url)
  const common = {
    transactionOptions,
    log: options.onQuery ? [{ emit: 'event', level: 'query' } as const] : [],
  }
  const client =
    engine === 'sqlite'
      ? new SqliteClient({ ...common, adapter: sqliteAdapter(url) })
      : // The one cast between the engines: their generated types differ in the options of $transaction alone.
        (new PostgresqlClient({
          ...common,
          adapter: new PrismaPg({
            connectionString: url,
            max: options.poolSize ?? 20,
          }),
        }) as unknown as SqliteClient)
  const { onQuery } = options
  if (onQuery) {
    // Typed only where the log levels are known to the type; here they depend on the options.
    const observable = client as unknown as {
      $on(event: 'query', report: (event: { query: string }) => void): void
    }
    observable.$on('query', (event) => {
      onQuery(event.query)
    })
  }
  await client.$connect()
  if (engine === 'sqlite') await assertPragmas(client)
  return { engine, client, close: () => client.$disconnect() }
}

/** The engine that a database URL names. */
export function engineOf(url: string): Engine {
  if (url.startsWith('file:')) return 'sqlite'
  if (/^postgres(ql)?:\/\//.test(url)) return 'postgresql'
  throw new Error('DATABASE_URL must begin with file: (SQLite) or postgresql:// (PostgreSQL)')
}

/** SQLite's settings that Orrery's promises stand on, as the running connection reports them. */
export async function readPragmas(client: SqliteClient): Promise<Record<string, string | number>> {
  const values: Record<string, string | number> = {}
  for (const name of ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout']) {
    const [row] = await client.$queryRawUnsafe<Record<string, string | number | bigint>[]>(`PRAGMA ${name}`)
    const value = Object.values(row ?? {})[0]
    values[name] = typeof value === 'bigint' ? Number(value) : (value ?? 'unknown')
  }
  return values
}

async function assertPragmas(client: SqliteClient): Promise<void> {
  const { journal_mode, synchronous, foreign_keys, busy_timeout } = await readPragmas(client)
  if (journal_mode !== 'wal' || synchronous !== 2 || foreign_keys !== 1 || Number(busy_timeout) < 1000) {
    throw new Error(
      `SQLite did not take its settings: journal_mode=${journal_mode}, synchronous=${synchronous}, ` +
        `foreign_keys=${foreign_keys}, busy_timeout=${busy_timeout}; WAL needs a local file system`,
    )
  }
}
