import { FairQueue } from '../limits/fair-queue.ts'
import type { Job } from './job-protocol.ts'
import { JobThread, type JobOrder, type JobOutcome } from './job-thread.ts'
import type { ThreadName } from '../program.ts'

/** How many jobs of a kind run at once: a small one does not wait for the large one of another owner. */
const atOnce = 2

/** A job, and whose share of the threads it uses: usually a tenant's id. */
export interface OwnedJobOrder<Of extends Job> extends JobOrder<Of> {
  readonly owner: string
}

/**
 * Threads for work that would block the event loop for more than a moment. Each owner has one job running, and owners
 * take turns; how much may wait is decided before (`FairQueue` of the requests). The module of such a thread is what
 * `answerJobs` makes of a function (job-worker.ts).
 */
export class JobThreads<Of extends Job> {
  /** The thread that worked last comes first: a thread that is not needed does not start. */
  readonly #idle: JobThread<Of>[]
  readonly #all: readonly JobThread<Of>[]
  readonly #queue = new FairQueue({ running: atOnce, waitingOfOwner: Infinity, waiting: Infinity })

  constructor(name: ThreadName) {
    this.#all = Array.from({ length: atOnce }, () => new JobThread<Of>(name))
    this.#idle = [...this.#all]
  }

  /**
   * Runs a job when it is its owner's turn.
   * @throws the errors of `JobThread.run`
   */
  run({ owner, signal = new AbortController().signal, ...order }: OwnedJobOrder<Of>): Promise<JobOutcome<Of>> {
    return this.#queue.run(owner, signal, async () => {
      const thread = this.#idle.pop()
      if (!thread) throw new Error('more jobs run than there are threads')
      try {
        return await thread.run({ ...order, signal })
      } finally {
        this.#idle.push(thread)
      }
    })
  }

  /** Ends the threads; their jobs fail, and the next job starts a thread again. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread.stop()))
  }
}
