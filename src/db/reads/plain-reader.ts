import type pg from 'pg'

import type { Faults } from '../../base/faults.ts'
import { faultOf } from '../client/faults.ts'
import { patiently } from '../client/patience.ts'
import type { PostgresConnections } from '../client/postgres-connections.ts'
import { retried } from '../client/retries.ts'
import type { Engine } from '../client/types.ts'
import { LongReads, type Waiting } from './long/long-reads.ts'
import { keptStatements, sqliteStatements, type PlainValue, type RawRows } from './long/statements.ts'

/** Reads with the driver itself: a statement costs a tenth of one through Prisma's client. */
export interface PlainReader {
  /**
   * Runs one SELECT, in the engine's dialect.
   * @returns rows by column name; times as text, JSON and booleans as the driver returns them (row-values.ts)
   */
  read(sql: string, values: readonly PlainValue[]): Promise<PlainRow[]>
  /**
   * The same for a statement that reads the rows of many nodes: on SQLite it runs in a thread and waits for its turn.
   * PostgreSQL works in a process of its own anyway.
   * @throws LimitError when too many wait; UnavailableError when it takes too long; AbandonedError
   */
  readLong(sql: string, values: readonly PlainValue[], waiting: Waiting): Promise<PlainRow[]>
  close(): Promise<void>
}

export type PlainRow = Record<string, unknown>

/** The list of keys as a subquery in the engine's dialect: one parameter, so that the statement is always the same. */
export const listOf = (engine: Engine): string =>
  engine === 'sqlite' ? 'SELECT value FROM json_each(?)' : 'SELECT unnest($1::text[])'

/** Separate connections, so that reads do not wait for transactions. */
const poolSize = 8
/** How long a statement of the thread may take, in milliseconds. */
const longDeadline = 8000

interface Options {
  readonly faults: Faults
  /** Called with each statement. */
  readonly onQuery: (sql: string) => void
}

/** For rows as objects, the driver creates the names for each row again, which takes a third of a look-up. */
function named(names: readonly string[], values: readonly unknown[]): PlainRow {
  const row: PlainRow = {}
  for (let at = 0; at < names.length; at += 1) row[names[at] ?? ''] = values[at]
  return row
}

const allNamed = ({ names, rows }: RawRows): PlainRow[] => rows.map((row) => named(names, row))

/**
 * Opens a reader of a migrated file: a separate connection, which sees committed data.
 * @param deadline milliseconds for a long read
 */
export async function sqliteReader(
  file: string,
  { faults, onQuery, deadline = longDeadline }: Options & { readonly deadline?: number | undefined },
): Promise<PlainReader> {
  const { default: Sqlite } = await import('better-sqlite3')
  const database = new Sqlite(file, { timeout: 5000 })
  database.pragma('query_only = ON')
  // From here on, it waits without blocking the process (patience.ts).
  database.pragma('busy_timeout = 0')
  const run = sqliteStatements(database)
  const rows = (sql: string, values: readonly PlainValue[]): PlainRow[] => allNamed(run(sql, values))
  const long = new LongReads(file, { faults, deadline })
  return {
    async read(sql, values) {
      onQuery(sql)
      try {
        return rows(sql, values)
      } catch (error) {
        if (!faultOf(error)) throw error
        return retried(() => patiently(() => rows(sql, values)), faults)
      }
    },
    async readLong(sql, values, waiting) {
      onQuery(sql)
      return allNamed(await long.read(sql, values, waiting))
    },
    async close() {
      await long.stop()
      database.close()
    },
  }
}

/** Opens a reader of a migrated PostgreSQL database, with separate connections. */
export async function postgresqlReader(connections: PostgresConnections, options: Options): Promise<PlainReader> {
  const { faults, onQuery } = options
  const { default: pg } = await import('pg')
  const pool = connections.pool(poolSize)
  // The driver would read `timestamp without time zone` as local time.
  const timestampOid = pg.types.builtins.TIMESTAMP
  const types: pg.CustomTypesConfig = {
    getTypeParser: (oid, format): ((text: string) => unknown) =>
      oid === timestampOid ? (text) => text : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
  }
  // Named statements are parsed and planned once per connection. The driver never releases a name, so their number is
  // limited.
  const names = new Map<string, string>()
  const nameOf = (sql: string): string | undefined => {
    const known = names.get(sql)
    if (known !== undefined || names.size >= keptStatements) return known
    const name = `orrery-${names.size}`
    names.set(sql, name)
    return name
  }
  const read: PlainReader['read'] = async (sql, values) => {
    onQuery(sql)
    const name = nameOf(sql)
    const named = name === undefined ? {} : { name }
    const query = { ...named, text: sql, values: [...values], types }
    const ask = () => pool.query<PlainRow>(query)
    // A connection that was lost in the meantime is not the last one, and repeating a read is harmless.
    const { rows } = await retried(() => ask().catch((error: unknown) => onceMore(error, ask)), faults)
    return rows
  }
  return { read, readLong: read, close: () => pool.end() }
}

function onceMore<T>(error: unknown, ask: () => Promise<T>): Promise<T> {
  if (faultOf(error)?.fault === 'unreachable') return ask()
  throw error
}
