import { setTimeout as sleep } from 'node:timers/promises'

import { within } from '../base/deadline.ts'
import { breaks } from '../base/pieces.ts'
import { UnavailableError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'

/** Periodic work that one instance does for all: the master. */
export interface Sweep {
  /** What is done, for the log. */
  readonly name: string
  /** Milliseconds between the end of one run and the start of the next; the first starts with the role. */
  readonly interval: number
  /** The same after a failed run; `interval` when absent. */
  readonly retry?: number
  /** The most milliseconds that one page may take; the run has failed then. */
  readonly deadline: number
  /**
   * One run, in pages: it yields after each piece of bounded work. No further page begins when the lease has ended.
   * What a page does must be harmless if another instance does it too: a lease can end while a page runs.
   */
  readonly run: () => AsyncGenerator<void, void>
}

/** The time in which this instance is the master without a break. */
interface Term {
  readonly isMaster: () => boolean
  readonly signal: AbortSignal
}

/** Runs sweeps while this instance is the master, each at its own interval. */
export class Sweeps {
  readonly #sweeps: readonly Sweep[]
  readonly #log: Logger
  readonly #running = new Set<Promise<void>>()
  #term = new AbortController()

  constructor(sweeps: readonly Sweep[], log: Logger) {
    this.#sweeps = sweeps
    this.#log = log
  }

  /**
   * Starts all sweeps: this instance has become the master.
   * @param isMaster whether it still is; asked before each page
   */
  begin(isMaster: () => boolean): void {
    this.#term.abort()
    this.#term = new AbortController()
    const term = { isMaster, signal: this.#term.signal }
    for (const sweep of this.#sweeps) {
      const repeating = this.#repeat(sweep, term)
      this.#running.add(repeating)
      void repeating.finally(() => this.#running.delete(repeating))
    }
  }

  /** Begins no further page, and waits for the pages that run, each until its deadline at the latest. */
  async end(): Promise<void> {
    this.#term.abort()
    await Promise.all(this.#running)
  }

  async #repeat(sweep: Sweep, term: Term): Promise<void> {
    while (!term.signal.aborted) {
      const isDone = await this.#run(sweep, term)
      const pause = isDone ? sweep.interval : (sweep.retry ?? sweep.interval)
      await sleep(pause, undefined, { signal: term.signal, ref: false }).catch(() => undefined)
    }
  }

  /** @returns whether the run reached its end */
  async #run({ name, deadline, run }: Sweep, { isMaster, signal }: Term): Promise<boolean> {
    const pages = run()
    const pause = breaks()
    try {
      while (!signal.aborted && isMaster()) {
        const { done } = await within(deadline, pages.next(), `a page took longer than ${deadline} ms`)
        if (done === true) return true
        await pause()
      }
    } catch (err) {
      // A fault of the database or the disk was logged when it began (base/faults.ts), and recurs with each try.
      this.#log[err instanceof UnavailableError ? 'debug' : 'error']({ err, sweep: name }, 'a sweep failed')
    }
    // Not awaited: a page that is over its deadline still runs, and ends the run when it comes back.
    void pages.return()
    return false
  }
}
