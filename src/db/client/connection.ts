import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

import { codeOf } from '../migrations/error.ts'
import type { Engine } from './types.ts'

/** One plain connection of the driver, without Prisma: for migrations, which run before any client opens. */
export interface Connection {
  readonly engine: Engine
  /** Runs one statement with `$1`, `$2`, … on both engines. Rows are objects by column name; without rows, `[]`. */
  query(sql: string, params?: readonly (string | number | null)[]): Promise<Record<string, unknown>[]>
  /** Runs any number of statements. */
  script(sql: string): Promise<void>
  close(): Promise<void>
}

/** The access that is needed to see which migrations a database has. */
export type LedgerReader = Pick<Connection, 'engine'> & {
  query(sql: string): Promise<Record<string, unknown>[]>
}

/** The engine of a database URL: `file:…` or `postgresql://…`. */
export function engineOf(url: string): Engine {
  if (url.startsWith('file:')) return 'sqlite'
  if (/^postgres(ql)?:\/\//.test(url)) return 'postgresql'
  throw new Error('DATABASE_URL must begin with file: (SQLite) or postgresql:// (PostgreSQL)')
}

/** The database cannot be opened; the message says why, without the URL, which may hold a password. */
class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

/**
 * Opens the database of a URL. A missing SQLite file and folder are created, readable only by their owner.
 * @throws ConnectionError
 */
export async function openConnection(url: string): Promise<Connection> {
  const engine = engineOf(url)
  try {
    return engine === 'sqlite' ? await openSqlite(url.replace(/^file:/, '')) : await openPostgresql(url)
  } catch (cause) {
    throw new ConnectionError(`The database of DATABASE_URL cannot be opened: ${reasonOf(cause)}`, { cause })
  }
}

/** When several addresses of a host refuse, Node's error has a code and no message. */
function reasonOf(cause: unknown): string {
  const { message = '' } = cause as { message?: string }
  return message === '' ? (codeOf(cause) ?? String(cause)) : message
}

async function openSqlite(file: string): Promise<Connection> {
  const { default: Sqlite } = await import('better-sqlite3')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
  const database = new Sqlite(file, { timeout: 5000 })
  // SQLite reads the file only at the first statement, and it may not be a SQLite file.
  try {
    database.pragma('schema_version')
  } catch (error) {
    database.close()
    throw error
  }
  return {
    engine: 'sqlite',
    async query(sql, params = []) {
      const statement = database.prepare<unknown[], Record<string, unknown>>(sql)
      // To SQLite, $1 is a parameter whose name is 1.
      const named = params.length === 0 ? [] : [Object.fromEntries(params.map((value, index) => [index + 1, value]))]
      if (statement.reader) return statement.all(...named)
      statement.run(...named)
      return []
    },
    async script(sql) {
      database.exec(sql)
    },
    async close() {
      database.close()
    },
  }
}

async function openPostgresql(url: string): Promise<Connection> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  // A lost connection fails the next statement; without a listener, it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  // Prisma's client names the schema in every statement; the migrations do not.
  await client.query('SET search_path TO public')
  return {
    engine: 'postgresql',
    async query(sql, params = []) {
      const { rows } = await client.query<Record<string, unknown>>(sql, [...params])
      return rows
    },
    async script(sql) {
      await client.query(sql)
    },
    close: () => client.end(),
  }
}
