/** How asks are gathered. */
interface BatchOptions {
  /** Asks in one batch at most; those behind it wait for the next turn, so that no turn is long. */
  readonly size: number
  /** Batches under way at once. What comes meanwhile is gathered: the busier the database, the larger the batches. */
  readonly atOnce: number
}

/**
 * Gathers what is asked for in one turn of the event loop, whoever asks, and hands it on together. Nothing is kept: an
 * ask is answered by work that begins after it came.
 */
export class TurnBatches<Ask> {
  readonly #run: (asks: readonly Ask[]) => Promise<void>
  readonly #options: BatchOptions
  #waiting: Ask[] = []
  #isPlanned = false
  #running = 0

  /** @param run answers each ask; it does not throw */
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
    // Behind the reading of all sockets that have something in this turn.
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
