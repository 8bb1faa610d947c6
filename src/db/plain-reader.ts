import Sqlite from 'better-sqlite3'
import pg from 'pg'

import type { Engine } from './types.ts'

/** Reads with the driver alone: a statement costs a tenth of what it costs through the client. */
export interface PlainReader {
  /**
   * Runs one SELECT that takes a list of texts.
   * @param sql names the list as `listOf` writes it, as its only parameter
   * @returns rows by column name; times as text, JSON and booleans as the driver has them
   */
  read(sql: string, keys: readonly string[]): Promise<PlainRow[]>
  close(): Promise<void>
}

export type PlainRow = Record<string, unknown>

/** The list of keys as a subquery, of the engine's dialect: one parameter, so that the statement is always the same. */
export const listOf = (engine: Engine): string =>
  engine === 'sqlite' ? 'SELECT value FROM json_each(?)' : 'SELECT unnest($1::text[])'

/** Connections of their own: look-ups are few and short, and do not wait behind a page of a thousand rows. */
const poolSize = 4
/** Statements that are kept prepared; there are some dozens of shapes. */
const keptStatements = 200
/** OID of `timestamp without time zone` (pg_type): the driver would read it as local time. */
const timestampOid = 1114

/**
 * Opens a reader of a database that is migrated. On SQLite it is a connection of its own that sees what is committed.
 * @param onQuery called with each statement
 */
export const plainReader = (engine: Engine, url: string, onQuery: (sql: string) => void): PlainReader =>
  engine === 'sqlite' ? sqliteReader(url.replace(/^file:/, ''), onQuery) : postgresqlReader(url, onQuery)

function sqliteReader(file: string, onQuery: (sql: string) => void): PlainReader {
  const database = new Sqlite(file, { timeout: 5000 })
  database.pragma('query_only = ON')
  const statements = new Map<string, Sqlite.Statement<[string], PlainRow>>()
  const prepared = (sql: string) => {
    const known = statements.get(sql)
    if (known) return known
    if (statements.size >= keptStatements) statements.clear()
    const statement = database.prepare<[string], PlainRow>(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    async read(sql, keys) {
      onQuery(sql)
      return prepared(sql).all(JSON.stringify(keys))
    },
    async close() {
      database.close()
    },
  }
}

function postgresqlReader(url: string, onQuery: (sql: string) => void): PlainReader {
  const pool = new pg.Pool({ connectionString: url, max: poolSize })
  // An idle connection that is lost fails no statement: the next one opens another.
  pool.on('error', () => undefined)
  const types = {
    getTypeParser: (oid: number, format?: string) =>
      oid === timestampOid ? (text: string) => text : pg.types.getTypeParser(oid, format as 'text'),
  }
  return {
    async read(sql, keys) {
      onQuery(sql)
      const { rows } = await pool.query<PlainRow>({ text: sql, values: [[...keys]], types })
      return rows
    },
    close: () => pool.end(),
  }
}
