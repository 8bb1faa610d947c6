import Sqlite from 'better-sqlite3'
import pg from 'pg'

import { engineOf } from '../../src/db/client/connection.ts'

type Value = string | number | boolean | Date | Buffer | null | object

/** Writes many rows fast, without the product's code: fills a database before it is measured. */
export interface BulkWriter {
  /** Rows of a table must all name the same columns in the same order. */
  add(table: string, row: Record<string, Value>): Promise<void>
  /** Commits the rows, and updates the engine's statistics (ANALYZE). */
  finish(): Promise<void>
  close(): Promise<void>
}

export async function bulkWriter(url: string): Promise<BulkWriter> {
  return engineOf(url) === 'sqlite' ? sqliteWriter(url.replace(/^file:/, '')) : postgresqlWriter(url)
}

function sqliteWriter(file: string): BulkWriter {
  const database = new Sqlite(file)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = OFF')
  const statements = new Map<string, Sqlite.Statement>()
  database.exec('BEGIN')
  return {
    async add(table, row) {
      const statement = statements.get(table) ?? database.prepare(insert(table, Object.keys(row), () => '?'))
      statements.set(table, statement)
      statement.run(...Object.values(row).map(sqliteValue))
    },
    async finish() {
      database.exec('COMMIT')
      database.pragma('wal_checkpoint(TRUNCATE)')
    },
    async close() {
      database.close()
    },
  }
}

function sqliteValue(value: Value): string | number | Buffer | null {
  // As the product's client writes times.
  if (value instanceof Date) return value.toISOString().replace('Z', '+00:00')
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) return JSON.stringify(value)
  return value
}

/** Rows in one statement; times the largest number of columns, this stays below the protocol's 65 535 parameters. */
const rowsAtOnce = 500

async function postgresqlWriter(url: string): Promise<BulkWriter> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('BEGIN')
  const waiting = new Map<string, Record<string, Value>[]>()
  const flush = async (table: string) => {
    const rows = waiting.get(table) ?? []
    waiting.delete(table)
    const [first] = rows
    if (!first) return
    const columns = Object.keys(first)
    const places = rows.map((_, row) => `(${columns.map((__, at) => `$${row * columns.length + at + 1}`).join(', ')})`)
    const values = rows.flatMap((row) => Object.values(row).map(postgresqlValue))
    await client.query(`INSERT INTO ${table} (${quoted(columns)}) VALUES ${places.join(', ')}`, values)
  }
  return {
    async add(table, row) {
      const rows = waiting.get(table) ?? []
      rows.push(row)
      waiting.set(table, rows)
      if (rows.length < rowsAtOnce) return
      // Rows refer to rows of tables that come earlier.
      for (const earlier of tableOrder) await flush(earlier)
    },
    async finish() {
      for (const table of tableOrder) await flush(table)
      await client.query('COMMIT')
      await client.query('ANALYZE')
    },
    close: () => client.end(),
  }
}

/** A table comes after the tables that its rows refer to. */
const tableOrder = ['tenants', 'clusters', 'nodes', 'config_bundles']

/** Times as UTC, since the columns have no zone; JSON as text. */
function postgresqlValue(value: Value): string | number | boolean | Buffer | null {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) return JSON.stringify(value)
  return value
}

const quoted = (columns: readonly string[]): string => columns.map((column) => `"${column}"`).join(', ')

const insert = (table: string, columns: readonly string[], place: () => string): string =>
  `INSERT INTO ${table} (${quoted(columns)}) VALUES (${columns.map(place).join(', ')})`
