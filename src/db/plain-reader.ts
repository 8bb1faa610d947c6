import type Sqlite from 'better-sqlite3'
import type pg from 'pg'

import { retried } from './retries.ts'
import type { Engine } from './types.ts'

/** Reads with the driver alone: a statement costs a tenth of what it costs through the client. */
export interface PlainReader {
  /**
   * Runs one SELECT, in the engine's dialect.
   * @returns rows by column name; times as text, JSON and booleans as the driver has them (row-values.ts)
   */
  read(sql: string, values: readonly PlainValue[]): Promise<PlainRow[]>
  close(): Promise<void>
}

export type PlainRow = Record<string, unknown>
export type PlainValue = string | number | readonly string[]

/** The list of keys as a subquery, of the engine's dialect: one parameter, so that the statement is always the same. */
export const listOf = (engine: Engine): string =>
  engine === 'sqlite' ? 'SELECT value FROM json_each(?)' : 'SELECT unnest($1::text[])'

/** Connections of their own, so that what is read does not wait behind transactions. */
const poolSize = 8
/** Statements that are kept prepared: some dozens of shapes, and on SQLite of some one for each number of parents. */
const keptStatements = 500

/**
 * Opens a reader of a database that is migrated. On SQLite it is a connection of its own that sees what is committed.
 * @param onQuery called with each statement
 */
export const plainReader = (engine: Engine, url: string, onQuery: (sql: string) => void): Promise<PlainReader> =>
  engine === 'sqlite' ? sqliteReader(url.replace(/^file:/, ''), onQuery) : postgresqlReader(url, onQuery)

interface Statement {
  readonly query: Sqlite.Statement<(string | number)[], unknown[]>
  readonly names: readonly string[]
}

/** The driver makes the names anew for each row that it gives as an object: that takes a third of a look-up. */
function named(names: readonly string[], values: readonly unknown[]): PlainRow {
  const row: PlainRow = {}
  for (let at = 0; at < names.length; at += 1) row[names[at] ?? ''] = values[at]
  return row
}

async function sqliteReader(file: string, onQuery: (sql: string) => void): Promise<PlainReader> {
  const { default: Sqlite } = await import('better-sqlite3')
  const database = new Sqlite(file, { timeout: 5000 })
  database.pragma('query_only = ON')
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
  return {
    async read(sql, values) {
      onQuery(sql)
      const { query, names } = prepared(sql)
      const given = values.map((value) => (typeof value === 'object' ? JSON.stringify(value) : value))
      return query.all(...given).map((row) => named(names, row))
    },
    async close() {
      database.close()
    },
  }
}

async function postgresqlReader(url: string, onQuery: (sql: string) => void): Promise<PlainReader> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url, max: poolSize })
  // An idle connection that is lost fails no statement: the next one opens another.
  pool.on('error', () => undefined)
  // `timestamp without time zone`: the driver would read it as local time.
  const timestampOid = pg.types.builtins.TIMESTAMP
  const types: pg.CustomTypesConfig = {
    getTypeParser: (oid, format): ((text: string) => unknown) =>
      oid === timestampOid ? (text) => text : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
  }
  // Named, they are parsed and planned once a connection; the driver never forgets a name, so that there are some alone.
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
      const { rows } = await retried(() => pool.query<PlainRow>(query))
      return rows
    },
    close: () => pool.end(),
  }
}
