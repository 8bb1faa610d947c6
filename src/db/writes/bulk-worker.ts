import { workerData } from 'node:worker_threads'

import Sqlite from 'better-sqlite3'

import { answerJobs } from '../../base/threads/job-worker.ts'
import type { BulkJob, BulkRow, BulkThreadData } from './bulk.ts'

/** Runs large writes to SQLite in a thread, one transaction after another. See bulk.ts. */

const database = new Sqlite((workerData as BulkThreadData).file, { timeout: 5000 })
// As on the program's other connections (sqlite-adapter.ts); the journal mode is stored in the file.
database.pragma('synchronous = FULL')
database.pragma('foreign_keys = ON')
const prepared = new Map<string, Sqlite.Statement<[string], BulkRow>>()

answerJobs<BulkJob>((parts, handOn) => {
  database
    .transaction(() => {
      for (const { statements, chunk } of parts) for (const statement of statements) handOn(run(statement, chunk))
    })
    .immediate()
  return null
})

function run(sql: string, json: string): BulkRow[] {
  const statement = prepared.get(sql) ?? database.prepare<[string], BulkRow>(sql)
  prepared.set(sql, statement)
  if (statement.reader) return statement.all(json)
  statement.run(json)
  return []
}
