import type Sqlite from 'better-sqlite3'
import type pg from 'pg'

import type { Faults } from '../../base/faults.ts'
import { faultOf } from '../client/faults.ts'
import { patiently } from '../client/patience.ts'
import type { PostgresConnections } from '../client/postgres-connections.ts'
import { retried } from '../client/retries.ts'
import type { Engine } from '../client/types.ts'

/** Reads with the driver itself: a statement costs a tenth of one through Prisma's client. */
export interface PlainReader {
  /**
   * Runs one SELECT, in the engine's dialect.
   * @returns rows by column name; times as text, JSON and booleans as the driver returns them (row-values.ts)
   */
  read(sql: string, values: readonly PlainValue[]): Promise<PlainRow[]>
  close(): Promise<void>
}

export type PlainRow = Record<string, unknown>
export type PlainValue = string | number | readonly string[]

/** The list of keys as a subquery in the engine's dialect: one parameter, so that the statement is always the same. */
export const listOf = (engine: Engine): string =>
  engine === 'sqlite' ? 'SELECT value FROM json_each(?)' : 'SELECT unnest($1::text[])'

/** Separate connections, so that reads do not wait for transactions. */
const poolSize = 8
/** Prepared statements that are kept: some dozens of shapes, and on SQLite some with one per number of parents. */
const keptStatements = 500

interface Options {
  readonly faults: Faults
  /** Called with each statement. */
  readonly onQuery: (sql: string) => void
}

interface Statement {
  readonly query: Sqlite.Statement<(string | number)[], unknown[]>
  readonly names: readonly string[]
}

/** For rows as objects, the driver creates the names for each row again, which takes a third of a look-up. */
function named(names: readonly string[], values: readonly unknown[]): PlainRow {
  const row: PlainRow = {}
  for (let at = 0; at < names.length; at += 1) row[names[at] ?? ''] = values[at]
  return row
}

/** Opens a reader of a migrated file: a separate connection, which sees committed data. */
export async function sqliteReader(file: string, { faults, onQuery }: Options): Promise<PlainReader> {
  const { default: Sqlite } = await import('better-sqlite3')
  const database = new Sqlite(file, { timeout: 5000 })
  database.pragma('query_only = ON')
  // From here on, it waits without blocking the process (patience.ts).
  database.pragma('busy_timeout = 0')
  const statements = new Map<string, Statement>()
  const prepared = (sql: string): Statement => {
    const known = statements.get(sql)
    if (known) return known
    if (statements.size >= keptStatements) statements.clear()
    const query = database.prepare<(string | number)[], unknown[]>(sql).raw()
    const statement = { query, names: query.columns().map(({ name }) => name) }
    statements.set(sql, statement)
    return statement
  }
  const rows = (sql: string, values: readonly PlainValue[]): PlainRow[] => {
    const { query, names } = prepared(sql)
    const given = values.map((value) => (typeof value === 'object' ? JSON.stringify(value) : value))
    return query.all(...given).map((row) => named(names, row))
  }
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
    async close() {
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
  return {
    async read(sql, values) {
      onQuery(sql)
      const name = nameOf(sql)
      const named = name === undefined ? {} : { name }
      const query = { ...named, text: sql, values: [...values], types }
      const ask = () => pool.query<PlainRow>(query)
      // A connection that was lost in the meantime is not the last one, and repeating a read is harmless.
      const { rows } = await retried(() => ask().catch((error: unknown) => onceMore(error, ask)), faults)
      return rows
    },
    close: () => pool.end(),
  }
}

function onceMore<T>(error: unknown, ask: () => Promise<T>): Promise<T> {
  if (faultOf(error)?.fault === 'unreachable') return ask()
  throw error
}
