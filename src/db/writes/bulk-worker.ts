import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'

import type { BulkReport, BulkRow, BulkThreadData, BulkWork } from './bulk.ts'

/** Runs large writes to SQLite in a thread, one transaction after another. See bulk.ts. */

const database = new Sqlite((workerData as BulkThreadData).file, { timeout: 5000 })
// As on the program's other connections (sqlite-adapter.ts); the journal mode is stored in the file.
database.pragma('synchronous = FULL')
database.pragma('foreign_keys = ON')
const prepared = new Map<string, Sqlite.Statement<[string], BulkRow>>()

parentPort?.on('message', ({ statements, chunks }: BulkWork) => {
  try {
    database
      .transaction(() => {
        for (const chunk of chunks) for (const statement of statements) run(statement, chunk)
      })
      .immediate()
    report({ kind: 'committed' })
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    report({ kind: 'failed', message, code: error instanceof Sqlite.SqliteError ? error.code : null })
  }
})

function run(sql: string, json: string): void {
  const statement = prepared.get(sql) ?? database.prepare<[string], BulkRow>(sql)
  prepared.set(sql, statement)
  if (statement.reader) {
    report({ kind: 'rows', rows: statement.all(json) })
    return
  }
  statement.run(json)
  report({ kind: 'rows', rows: [] })
}

function report(message: BulkReport): void {
  parentPort?.postMessage(message)
}
