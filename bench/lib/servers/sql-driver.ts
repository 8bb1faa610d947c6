import Sqlite from 'better-sqlite3'
import pg from 'pg'

export type Row = Record<string, unknown>
export type Parameter = string | number | boolean | null

/** Runs one prepared statement; parameters are `$1`, `$2`, … in the order of their first use, each used once. */
export type Run = (sql: string, ...parameters: Parameter[]) => Promise<Row[]>

/** A database's own driver with nothing above it but the list of prepared statements. */
export interface Driver {
  readonly engine: 'sqlite' | 'postgresql'
  readonly run: Run
  /** Runs the work in one transaction. */
  readonly transaction: <T>(work: (run: Run) => Promise<T>) => Promise<T>
}

export async function openDriver(url: string): Promise<Driver> {
  return url.startsWith('file:') ? openSqlite(url.replace(/^file:/, '')) : openPostgresql(url)
}

/** With the settings of Orrery's own connections. */
function openSqlite(file: string): Driver {
  const database = new Sqlite(file, { timeout: 5000 })
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) database.pragma(pragma)
  const statements = new Map<string, Sqlite.Statement<unknown[], Row>>()
  const run: Run = async (sql, ...parameters) => {
    let statement = statements.get(sql)
    if (!statement) {
      statement = database.prepare<unknown[], Row>(sql.replace(/\$\d+(::\w+)?/g, '?'))
      statements.set(sql, statement)
    }
    const values = parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value))
    if (statement.reader) return statement.all(...values)
    statement.run(...values)
    return []
  }
  // One connection holds one transaction at a time.
  let last: Promise<unknown> = Promise.resolve()
  return {
    engine: 'sqlite',
    run,
    transaction(work) {
      const result = last.then(async () => {
        database.exec('BEGIN IMMEDIATE')
        try {
          const value = await work(run)
          database.exec('COMMIT')
          return value
        } catch (error) {
          database.exec('ROLLBACK')
          throw error
        }
      })
      last = result.catch(() => undefined)
      return result
    },
  }
}

/** Connections of the pool: as many as Orrery's. */
const poolSize = 10

function openPostgresql(url: string): Driver {
  const pool = new pg.Pool({ connectionString: url, max: poolSize })
  const names = new Map<string, string>()
  const runOn =
    (client: pg.Pool | pg.PoolClient): Run =>
    async (text, ...values) => {
      const name = names.get(text) ?? `s${names.size}`
      names.set(text, name)
      const { rows } = await client.query<Row>({ name, text, values })
      return rows
    }
  return {
    engine: 'postgresql',
    run: runOn(pool),
    async transaction(work) {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        const value = await work(runOn(client))
        await client.query('COMMIT')
        return value
      } catch (error) {
        await client.query('ROLLBACK')
        throw error
      } finally {
        client.release()
      }
    },
  }
}
