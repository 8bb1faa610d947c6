import { Faults } from '../../base/faults.ts'
import { Mutex } from '../../base/limits/mutex.ts'
import { type Bulk, postgresqlBulk, sqliteBulk } from '../writes/bulk.ts'
import { ChangeFeed } from '../notify/changes.ts'
import { spareCompilerOptimizing } from './compiler-budget.ts'
import { engineOf } from './connection.ts'
import type { Prisma, PrismaClient as SqliteClient } from '../generated/sqlite/client.ts'
import { postgresqlReader, sqliteReader, type PlainReader } from '../reads/plain-reader.ts'
import type { PostgresConnections } from './postgres-connections.ts'
import { retrying } from './retries.ts'
import { RowLookups } from '../reads/rows.ts'
import type { Engine } from './types.ts'

/** The raw client: reaches every row. Only db, auth, ha, main and cli may hold one. */
export interface Database {
  readonly engine: Engine
  /** Its operations are retried after conflicts with concurrent work (retries.ts). */
  readonly client: SqliteClient
  readonly reader: PlainReader
  /** Reads rows by their keys, for all requests of a tick of the event loop together. */
  readonly lookups: RowLookups
  /** The events of the clusters. */
  readonly changes: ChangeFeed
  /** Large writes that do not block other work. */
  readonly bulk: Bulk
  /** The current faults of the database. */
  readonly faults: Faults
  /** PostgreSQL's connections, for code that needs its own; null on SQLite. */
  readonly connections: PostgresConnections | null
  /** Running transactions are rolled back and fail, so stop their owners first. */
  readonly close: () => Promise<void>
}

export interface DatabaseOptions {
  /** Called with the text of every SQL statement that runs. */
  readonly onQuery?: (sql: string) => void
  /** PostgreSQL: connections in the pool. */
  readonly poolSize?: number
  /** How long a statement may take, in milliseconds; on SQLite, one that reads many rows in a thread. */
  readonly statementDeadline?: number
}

/**
 * Waiting for a turn at the database, and working in a transaction, in milliseconds: upper limits, not expectations.
 */
const transactionOptions = { maxWait: 30_000, timeout: 30_000 }

/**
 * Opens the migrated database of a URL (`file:…` or `postgresql://…`).
 * SQLite's pragmas are read back from the connection: a database that is not in WAL mode, does not sync every commit
 * or does not check foreign keys is refused.
 */
export async function openDatabase(url: string, options: DatabaseOptions = {}): Promise<Database> {
  const engine = engineOf(url)
  spareCompilerOptimizing()
  const common = {
    // Errors name what failed and never quote the arguments, which may be secrets.
    errorFormat: 'minimal' as const,
    transactionOptions,
    log: options.onQuery ? [{ emit: 'event', level: 'query' } as const] : [],
  }
  const faults = new Faults()
  const writing = new Mutex()
  const connections = engine === 'sqlite' ? null : await postgresConnections(url, options)
  const client = retrying(
    connections ? await postgresqlClient(connections, options, common) : await sqliteClient(url, writing, common),
    faults,
  )
  const { onQuery } = options
  if (onQuery) {
    // The event types depend on the log levels in the options, which the type does not know here.
    const observable = client as unknown as {
      $on(event: 'query', report: (event: { query: string }) => void): void
    }
    observable.$on('query', (event) => {
      onQuery(event.query)
    })
  }
  await client.$connect()
  try {
    if (engine === 'sqlite') await assertPragmas(client)
  } catch (error) {
    await client.$disconnect()
    throw error
  }
  const bulk = connections ? postgresqlBulk(client) : sqliteBulk(url, { writing, faults, onQuery })
  const reading = { faults, onQuery: onQuery ?? (() => undefined) }
  const reader = await (connections
    ? postgresqlReader(connections, reading)
    : sqliteReader(url.replace(/^file:/, ''), { ...reading, deadline: options.statementDeadline }))
  const close = async () => {
    await reader.close()
    await client.$disconnect()
    await bulk.stop()
  }
  return {
    engine,
    client,
    reader,
    lookups: new RowLookups(reader, engine),
    changes: new ChangeFeed(),
    bulk: bulk.run,
    faults,
    connections,
    close,
  }
}

type Common = Pick<Prisma.PrismaClientOptions, 'errorFormat' | 'transactionOptions' | 'log'>

// Each engine's client and driver are loaded only for its own databases: they are a tenth of what a start loads.

async function sqliteClient(url: string, writing: Mutex, common: Common): Promise<SqliteClient> {
  const [{ PrismaClient }, { sqliteAdapter }] = await Promise.all([
    import('../generated/sqlite/client.ts'),
    import('./sqlite-adapter.ts'),
  ])
  return new PrismaClient({ ...common, adapter: sqliteAdapter(url, writing) })
}

async function postgresConnections(url: string, { statementDeadline }: DatabaseOptions): Promise<PostgresConnections> {
  const { PostgresConnections } = await import('./postgres-connections.ts')
  return new PostgresConnections(url, statementDeadline)
}

async function postgresqlClient(
  connections: PostgresConnections,
  { poolSize = 20 }: DatabaseOptions,
  common: Common,
): Promise<SqliteClient> {
  const [{ PrismaClient }, { PrismaPg }] = await Promise.all([
    import('../generated/postgresql/client.ts'),
    import('@prisma/adapter-pg'),
  ])
  const adapter = new PrismaPg(connections.pool(poolSize), { disposeExternalPool: true })
  // The one cast between the engines: their generated types differ only in the options of $transaction.
  return new PrismaClient({ ...common, adapter }) as unknown as SqliteClient
}

/** The SQLite settings that Orrery depends on, as an open connection reports them. */
export interface Pragmas {
  readonly journal_mode: string
  readonly synchronous: number
  readonly foreign_keys: number
  /** Milliseconds. */
  readonly busy_timeout: number
  readonly query_only: number
}

const settings = `SELECT json_object('journal_mode', journal_mode, 'synchronous', synchronous,
    'foreign_keys', foreign_keys, 'busy_timeout', timeout, 'query_only', query_only) AS settings
  FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys, pragma_busy_timeout, pragma_query_only`

/** Asks both connections of the adapter: statements that begin with SELECT go to the reader. */
export async function readPragmas(client: SqliteClient): Promise<{ reader: Pragmas; writer: Pragmas }> {
  const ask = async (statement: string): Promise<Pragmas> => {
    const [row] = await client.$queryRawUnsafe<{ settings: string }[]>(statement)
    return JSON.parse(row?.settings ?? '{}') as Pragmas
  }
  return { reader: await ask(settings), writer: await ask(`WITH writer AS (SELECT 1) ${settings}`) }
}

async function assertPragmas(client: SqliteClient): Promise<void> {
  const { reader, writer } = await readPragmas(client)
  const isAsAsked = ({ journal_mode, synchronous, foreign_keys, busy_timeout }: Pragmas) =>
    journal_mode === 'wal' && synchronous === 2 && foreign_keys === 1 && busy_timeout === 0
  if (isAsAsked(writer) && isAsAsked(reader) && writer.query_only === 0 && reader.query_only === 1) return
  throw new Error(
    `SQLite did not take its settings: ${JSON.stringify({ writer, reader })}; WAL needs a local file system`,
  )
}
