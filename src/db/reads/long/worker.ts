import { workerData } from 'node:worker_threads'

import Sqlite from 'better-sqlite3'

import { piecesOf } from '../../../base/pieces.ts'
import { messageItems } from '../../../base/threads/job-protocol.ts'
import { answerJobs } from '../../../base/threads/job-worker.ts'
import type { LongReadJob, LongReadThreadData } from './long-reads.ts'
import { sqliteStatements } from './statements.ts'

/** Runs long SELECTs on SQLite in a thread, one after another. See long-reads.ts. */

// For a lock of another process, only this thread waits.
const database = new Sqlite((workerData as LongReadThreadData).file, { timeout: 5000 })
database.pragma('query_only = ON')
const run = sqliteStatements(database)

answerJobs<LongReadJob>((parts, handOn) => {
  let columns: readonly string[] = []
  for (const { sql, values } of parts) {
    const { names, rows } = run(sql, values)
    for (const piece of piecesOf(rows, messageItems)) handOn(piece)
    columns = names
  }
  return columns
})
