import { UnavailableError } from '../../../base/errors.ts'
import type { Faults } from '../../../base/faults.ts'
import { FairQueue } from '../../../base/limits/fair-queue.ts'
import { JobThread, OverdueError } from '../../../base/threads/job-thread.ts'
import { retried } from '../../client/retries.ts'
import type { PlainValue, RawRows } from './statements.ts'

/** Who waits for a long read. */
export interface Waiting {
  /** Whose turn it is: usually a tenant's id. */
  readonly owner: string
  /** Fires when the result is not needed any more. */
  readonly signal?: AbortSignal | undefined
}

/** The thread's start data, and its jobs: one statement each, whose pieces are rows and whose result is their columns. */
export interface LongReadThreadData {
  readonly file: string
}
export interface LongReadJob {
  readonly part: { readonly sql: string; readonly values: readonly PlainValue[] }
  readonly piece: RawRows['rows']
  readonly result: RawRows['names']
}

/** How many statements run and wait. One request may ask for some dozens; a statement takes up to a second. */
const limits = { running: 1, waitingOfOwner: 100, waiting: 500 }

interface Options {
  readonly faults: Faults
  /** Milliseconds for one statement. */
  readonly deadline: number
}

/**
 * SELECTs that read so many rows of a SQLite file that the synchronous driver would block the program: they run in a
 * thread, one at a time, owners in turn. The thread starts with the first of them. A statement cannot be interrupted:
 * when its client leaves or its deadline passes, the thread ends after it, and the next one waits for that.
 */
export class LongReads {
  readonly #thread: JobThread<LongReadJob>
  readonly #queue = new FairQueue(limits)
  readonly #options: Options
  #isStopped = false

  constructor(file: string, options: Options) {
    const data: LongReadThreadData = { file }
    this.#thread = new JobThread('long-reads', data)
    this.#options = options
  }

  /** @throws LimitError when too many wait; UnavailableError when it takes too long; AbandonedError */
  async read(sql: string, values: readonly PlainValue[], { owner, signal }: Waiting): Promise<RawRows> {
    const { faults, deadline } = this.#options
    return this.#queue.run(owner, signal ?? new AbortController().signal, async (left) => {
      if (this.#isStopped) throw new Error('the database is closed')
      const order = { parts: [{ sql, values }], signal: left, deadline }
      try {
        const { pieces, result } = await retried(() => this.#thread.run(order), faults)
        return { names: result, rows: pieces.flat() }
      } catch (cause) {
        if (!(cause instanceof OverdueError)) throw cause
        faults.note('overloaded', cause.message)
        throw new UnavailableError('overloaded', { cause })
      }
    })
  }

  /** Ends the thread; what it reads fails, and so does what waits. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#thread.stop()
  }
}
