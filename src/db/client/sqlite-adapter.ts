import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import {
  isDriverAdapterError,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
  type SqlQuery,
  type Transaction,
} from '@prisma/driver-adapter-utils'

import { Mutex } from '../../base/mutex.ts'
import { patiently, untilGivenUp } from './patience.ts'

/**
 * WAL: readers and the writer do not block each other. FULL: an acknowledged write survives a power cut.
 * The busy timeout comes last: during the start, the driver waits. Later, a writer that finds the write lock held by
 * another process (`orrery migrate`, a second server) waits without blocking this one (patience.ts).
 */
const pragmas = [
  'PRAGMA journal_mode = WAL',
  'PRAGMA synchronous = FULL',
  'PRAGMA foreign_keys = ON',
  'PRAGMA busy_timeout = 0',
]

/**
 * Prisma's better-sqlite3 adapter uses one connection for everything: a query during an open interactive transaction
 * becomes part of it, reads its uncommitted data and, when it is rolled back, loses an acknowledged write. This one
 * opens two: reads outside of transactions use their own connection (WAL gives it the last committed state), writes
 * wait for the transaction's end. Transactions begin IMMEDIATE, so that none fails half-way because another process
 * took the write lock in between.
 * @param writing held by every writer; other writers to the file in this process must hold it, too
 */
export function sqliteAdapter(url: string, writing = new Mutex()): SqlDriverAdapterFactory {
  const official = new PrismaBetterSqlite3({ url })
  return {
    provider: 'sqlite',
    adapterName: official.adapterName,
    async connect() {
      const writer = await connection(official, pragmas)
      try {
        const reader = await connection(official, [...pragmas, 'PRAGMA query_only = ON'])
        return new SqliteAdapter({ writer, reader, writing })
      } catch (error) {
        await writer.dispose()
        throw error
      }
    },
  }
}

async function connection(official: PrismaBetterSqlite3, settings: readonly string[]): Promise<SqlDriverAdapter> {
  const one = await official.connect()
  try {
    for (const pragma of settings) await one.executeScript(pragma)
    return one
  } catch (error) {
    await one.dispose()
    throw error
  }
}

class SqliteAdapter implements SqlDriverAdapter {
  readonly provider = 'sqlite'
  readonly adapterName: string
  readonly #writer: SqlDriverAdapter
  readonly #reader: SqlDriverAdapter
  readonly #writing: Mutex

  constructor({ writer, reader, writing }: { writer: SqlDriverAdapter; reader: SqlDriverAdapter; writing: Mutex }) {
    this.adapterName = writer.adapterName
    this.#writing = writing
    this.#writer = writer
    this.#reader = reader
  }

  queryRaw(query: SqlQuery) {
    // A statement that may write (INSERT … RETURNING, a PRAGMA) goes to the writer.
    return /^\s*SELECT\b/i.test(query.sql)
      ? patiently(() => this.#reader.queryRaw(query))
      : this.#alone((writer) => writer.queryRaw(query))
  }

  executeRaw(query: SqlQuery) {
    return this.#alone((writer) => writer.executeRaw(query))
  }

  executeScript(script: string) {
    return this.#alone((writer) => writer.executeScript(script))
  }

  async startTransaction(): Promise<Transaction> {
    const end = untilGivenUp()
    const leave = await this.#writing.enter()
    const writer = this.#writer
    const run = async (sql: string): Promise<void> => {
      await writer.executeRaw({ sql, args: [], argTypes: [] })
    }
    try {
      await patiently(() => run('BEGIN IMMEDIATE'), end)
    } catch (error) {
      leave()
      throw error
    }
    let isOpen = true
    return {
      provider: this.provider,
      adapterName: this.adapterName,
      // Prisma sends COMMIT and ROLLBACK as statements, and then calls `commit` or `rollback`.
      options: { usePhantomQuery: false },
      queryRaw: (query) => writer.queryRaw(query),
      async executeRaw(query) {
        const changes = await writer.executeRaw(query)
        if (query.sql === 'COMMIT' || query.sql === 'ROLLBACK') isOpen = false
        return changes
      },
      commit: async () => leave(),
      async rollback() {
        try {
          // A failed COMMIT leaves the transaction open, and the next write would become part of it.
          if (isOpen) await run('ROLLBACK')
        } catch (error) {
          // After some failures, such as a full disk, SQLite has already rolled back.
          if (!isNoTransaction(error)) throw error
        } finally {
          leave()
        }
      },
      createSavepoint: (name) => run(`SAVEPOINT ${name}`),
      rollbackToSavepoint: (name) => run(`ROLLBACK TO ${name}`),
      releaseSavepoint: (name) => run(`RELEASE SAVEPOINT ${name}`),
    }
  }

  async dispose() {
    await this.#writing.alone(async () => {
      await this.#reader.dispose()
      await this.#writer.dispose()
    })
  }

  #alone<T>(work: (writer: SqlDriverAdapter) => Promise<T>): Promise<T> {
    const end = untilGivenUp()
    return this.#writing.alone(() => patiently(() => work(this.#writer), end))
  }
}

const isNoTransaction = (error: unknown): boolean =>
  isDriverAdapterError(error) && error.cause.originalMessage === 'cannot rollback - no transaction is active'
