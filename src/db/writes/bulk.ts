import type { Faults } from '../../base/faults.ts'
import type { Mutex } from '../../base/mutex.ts'
import { breaks } from '../../base/pieces.ts'
import { JobThread } from '../../base/threads/job-thread.ts'
import type { PrismaClient } from '../generated/sqlite/client.ts'
import { retried } from '../client/retries.ts'

export type BulkRow = Readonly<Record<string, unknown>>

/** Statements with one value, a JSON array of rows, and the arrays that each of them runs with, in turn. */
export interface BulkWork {
  readonly statements: readonly string[]
  readonly chunks: readonly string[]
}

/**
 * Runs statements in one transaction, and returns the result of each, chunk by chunk. On SQLite it runs in a thread:
 * ten thousand scattered rows are as many pages to write and to sync. That takes half a second, in which the
 * synchronous driver would block the program.
 */
export type Bulk = (work: BulkWork) => Promise<BulkRow[][]>

interface StoppableBulk {
  readonly run: Bulk
  stop(): Promise<void>
}

export const postgresqlBulk = (client: PrismaClient): StoppableBulk => ({
  run: ({ statements, chunks }) =>
    client.$transaction(async (tx) => {
      const results: BulkRow[][] = []
      const pause = breaks()
      for (const chunk of chunks) {
        for (const statement of statements) {
          results.push(await tx.$queryRawUnsafe<BulkRow[]>(statement, chunk))
          await pause()
        }
      }
      return results
    }),
  stop: () => Promise.resolve(),
})

/** The thread's start data, and its jobs: one transaction each, whose pieces are the rows of each statement. */
export interface BulkThreadData {
  readonly file: string
}
export interface BulkJob {
  readonly part: { readonly statements: readonly string[]; readonly chunk: string }
  readonly piece: BulkRow[]
  readonly result: null
}

interface SqliteOptions {
  /** Held by every writer to the file in this process. */
  readonly writing: Mutex
  readonly faults: Faults
  /** Called with the text of every statement. */
  readonly onQuery?: ((sql: string) => void) | undefined
}

/**
 * The thread starts with the first transaction. In the meantime, the mutex makes this process's other writes wait
 * without blocking it. For another process, the thread waits with SQLite's busy timeout, which blocks only the thread.
 */
export function sqliteBulk(url: string, { writing, faults, onQuery }: SqliteOptions): StoppableBulk {
  const data: BulkThreadData = { file: url.replace(/^file:/, '') }
  const thread = new JobThread<BulkJob>('bulk-writes', data)
  const run: Bulk = ({ statements, chunks }) =>
    writing.alone(async () => {
      if (onQuery) chunks.forEach(() => statements.forEach((statement) => onQuery(statement)))
      const parts = chunks.map((chunk) => ({ statements, chunk }))
      const { pieces } = await retried(() => thread.run({ parts }), faults)
      return [...pieces]
    })
  return { run, stop: () => writing.alone(() => thread.stop()) }
}
