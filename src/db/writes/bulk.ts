import { setImmediate } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'

import type { Faults } from '../../base/faults.ts'
import { startThread } from '../../base/program.ts'
import type { PrismaClient } from '../generated/sqlite/client.ts'
import { retried } from '../client/retries.ts'
import type { Turnstile } from '../client/turnstile.ts'

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
      for (const chunk of chunks) {
        for (const statement of statements) {
          results.push(await tx.$queryRawUnsafe<BulkRow[]>(statement, chunk))
          await setImmediate()
        }
      }
      return results
    }),
  stop: () => Promise.resolve(),
})

/** The messages to the thread, at its start and for each transaction, and its reports. */
export interface BulkThreadData {
  readonly file: string
}
export type BulkReport =
  /** Rows of one statement; in pieces, since receiving a message blocks the event loop. */
  | { readonly kind: 'rows'; readonly rows: BulkRow[] }
  | { readonly kind: 'committed' }
  /** `code` is SQLite's code, for its own errors. */
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | null }

interface SqliteOptions {
  readonly turnstile: Turnstile
  readonly faults: Faults
  /** Called with the text of every statement. */
  readonly onQuery?: ((sql: string) => void) | undefined
}

/**
 * The thread starts with the first transaction. In the meantime, the turnstile makes this process's other writes wait
 * without blocking it. For another process, the thread waits with SQLite's busy timeout, which blocks only the thread.
 */
export function sqliteBulk(url: string, { turnstile, faults, onQuery }: SqliteOptions): StoppableBulk {
  let worker: Worker | null = null
  const start = (): Worker => {
    const workerData: BulkThreadData = { file: url.replace(/^file:/, '') }
    const started = startThread('bulk-writes', { env: {}, workerData })
    started.once('exit', () => {
      if (worker === started) worker = null
    })
    started.unref()
    return started
  }
  const run: Bulk = (work) =>
    turnstile.alone(() => {
      worker ??= start()
      if (onQuery) work.chunks.forEach(() => work.statements.forEach((statement) => onQuery(statement)))
      const asked = worker
      return retried(() => ask(asked, work), faults)
    })
  const stop = (): Promise<void> =>
    turnstile.alone(async () => {
      await worker?.terminate()
      worker = null
    })
  return { run, stop }
}

function ask(worker: Worker, work: BulkWork): Promise<BulkRow[][]> {
  return new Promise((resolve, reject) => {
    const results: BulkRow[][] = []
    const settle = (): void => {
      worker.off('message', onReport).off('error', onError).off('exit', onExit)
      worker.unref()
    }
    const onReport = (report: BulkReport): void => {
      if (report.kind === 'rows') {
        results.push(report.rows)
        return
      }
      settle()
      if (report.kind === 'committed') resolve(results)
      else reject(Object.assign(new Error(`the transaction failed: ${report.message}`), { code: report.code }))
    }
    const onError = (cause: unknown): void => {
      settle()
      reject(new Error('the writing thread failed', { cause }))
    }
    const onExit = (code: number): void => {
      settle()
      reject(new Error(`the writing thread ended with code ${code}`))
    }
    worker.on('message', onReport).on('error', onError).on('exit', onExit)
    worker.ref()
    worker.postMessage(work)
  })
}
