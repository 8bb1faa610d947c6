import { LimitError } from '../errors.ts'

/** How much work a queue accepts. */
export interface QueueLimits {
  /** Pieces of work that run at once, each of a different owner. */
  readonly running: number
  /** Pieces of one owner's work that may wait, and of all owners' together. */
  readonly waitingOfOwner: number
  readonly waiting: number
}

interface Entry {
  readonly start: () => void
}

/** The caller left before its work was done: the result is not needed any more. */
export class AbandonedError extends Error {
  override readonly name = 'AbandonedError'
}

/** Runs work when it is its caller's turn; the signal fires when the result is not needed any more. */
export type Enqueue = <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>

/** The bounds of the wait that a refusal asks for, in seconds. */
const retry = { least: 1, most: 60 }

/**
 * Runs expensive work so that no owner waits for another: one piece per owner at a time, owners in turn, and no more
 * work waits than will be done soon. Refused or abandoned work costs nothing.
 */
export class FairQueue {
  readonly #limits: QueueLimits
  readonly #running = new Set<string>()
  /** By owner, in the order of their turns. */
  readonly #waiting = new Map<string, Entry[]>()
  /** How long a piece of work took recently, in milliseconds. */
  #usual = 1000

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  /** How much runs and waits now, for the log and for tests. */
  get size(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running.size, waiting: sum([...this.#waiting.values()].map(({ length }) => length)) }
  }

  /**
   * Runs work when it is its owner's turn.
   * @param owner whose share the work uses, usually a tenant's id
   * @param signal fires when the result is not needed any more: waiting work is dropped, running work is told
   * @throws LimitError with seconds to wait, when too much waits; AbandonedError; errors of the work
   */
  async run<T>(owner: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    await this.#place(owner, signal)
    const start = performance.now()
    try {
      return await work(signal)
    } finally {
      this.#usual += (performance.now() - start - this.#usual) / 8
      this.#running.delete(owner)
      this.#startNext()
    }
  }

  async #place(owner: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new AbandonedError('the client has left')
    const { running, waiting } = this.size
    if (running < this.#limits.running && !this.#running.has(owner)) {
      this.#running.add(owner)
      return
    }
    const own = this.#waiting.get(owner) ?? []
    if (own.length >= this.#limits.waitingOfOwner) throw this.#refusal(own.length, 'of yours')
    if (waiting >= this.#limits.waiting) throw this.#refusal(waiting, 'at this server')
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#drop(owner, entry)
        reject(new AbandonedError('the client has left'))
      }
      const entry: Entry = {
        start: () => {
          signal.removeEventListener('abort', leave)
          resolve()
        },
      }
      own.push(entry)
      this.#waiting.set(owner, own)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #startNext(): void {
    for (const [owner, entries] of this.#waiting) {
      if (this.#running.size >= this.#limits.running) return
      if (this.#running.has(owner)) continue
      const entry = entries.shift()
      // The owner's next piece comes after those of all other owners.
      this.#waiting.delete(owner)
      if (entries.length > 0) this.#waiting.set(owner, entries)
      if (!entry) continue
      this.#running.add(owner)
      entry.start()
    }
  }

  #drop(owner: string, entry: Entry): void {
    const rest = (this.#waiting.get(owner) ?? []).filter((one) => one !== entry)
    if (rest.length === 0) this.#waiting.delete(owner)
    else this.#waiting.set(owner, rest)
  }

  #refusal(before: number, where: string): LimitError {
    const seconds = Math.ceil((before * this.#usual) / 1000)
    const retryAfterSeconds = Math.min(retry.most, Math.max(retry.least, seconds))
    return new LimitError(`Too much expensive work ${where} waits already; try again later.`, retryAfterSeconds)
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
