/** Options for gathering requests. */
interface BatchOptions {
  /** The maximum number of requests in one batch; further requests wait for the next turn, so that no turn is long. */
  readonly size: number
  /**
   * The maximum number of running batches. Requests gather in the meantime: the busier the database, the larger the
   * batches.
   */
  readonly atOnce: number
}

/**
 * Gathers all requests of one turn of the event loop and passes them on together. Nothing is cached: the work for a
 * request begins after the request.
 */
export class TurnBatches<Ask> {
  readonly #run: (asks: readonly Ask[]) => Promise<void>
  readonly #options: BatchOptions
  #waiting: Ask[] = []
  #isPlanned = false
  #running = 0

  /** @param run answers each request; it does not throw */
  constructor(run: (asks: readonly Ask[]) => Promise<void>, options: BatchOptions) {
    this.#run = run
    this.#options = options
  }

  add(ask: Ask): void {
    this.#waiting.push(ask)
    this.#plan()
  }

  #plan(): void {
    if (this.#isPlanned || this.#waiting.length === 0 || this.#running >= this.#options.atOnce) return
    this.#isPlanned = true
    // After all sockets with data in this turn were read.
    setImmediate(() => {
      this.#isPlanned = false
      void this.#next()
    })
  }

  async #next(): Promise<void> {
    const asks = this.#waiting.splice(0, this.#options.size)
    this.#running += 1
    this.#plan()
    await this.#run(asks)
    this.#running -= 1
    this.#plan()
  }
}
