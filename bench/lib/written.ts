import Sqlite from 'better-sqlite3'
import pg from 'pg'

import { engineOf } from '../../src/db/client/connection.ts'

/** What was written to the nodes of a database during the watch. */
export interface Written {
  /** Nodes that run this version now. */
  readonly nodes: number
  /**
   * Write transactions: those that a watcher saw (SQLite; including the instance's heartbeats, every ten seconds), or
   * that the rows still name (PostgreSQL).
   */
  readonly transactions: number
}

/** Watches a database from outside until the returned function is called. */
export async function watchWrites(url: string, version: number): Promise<() => Promise<Written>> {
  return engineOf(url) === 'sqlite' ? watchSqlite(url.replace(/^file:/, ''), version) : watchPostgresql(url, version)
}

/** `data_version` changes with each commit of another connection; commits between two checks count as one. */
function watchSqlite(file: string, version: number) {
  const database = new Sqlite(file, { readonly: true })
  const look = () => database.pragma('data_version', { simple: true })
  let [last, transactions] = [look(), 0]
  const timer = setInterval(() => {
    const now = look()
    if (now !== last) transactions += 1
    last = now
  }, 10)
  return () => {
    clearInterval(timer)
    const count = database.prepare<[number], number>('SELECT count(*) FROM nodes WHERE running_config_version = ?')
    const nodes = count.pluck().get(version) ?? 0
    database.close()
    return Promise.resolve({ nodes, transactions })
  }
}

function watchPostgresql(url: string, version: number) {
  return async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      const { rows } = await client.query<{ nodes: number; transactions: number }>(
        `SELECT count(*)::int AS nodes, count(DISTINCT xmin::text)::int AS transactions
         FROM nodes WHERE running_config_version = $1`,
        [version],
      )
      return rows[0] ?? { nodes: 0, transactions: 0 }
    } finally {
      await client.end()
    }
  }
}
