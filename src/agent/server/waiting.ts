import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds. */
export interface Pauses {
  readonly first: number
  readonly longest: number
}

/** Pauses between failing attempts: doubled each time up to the longest, and random, so that not all return at once. */
export class BackOff {
  readonly #pauses: Pauses
  #next: number

  constructor(pauses: Pauses) {
    this.#pauses = pauses
    this.#next = pauses.first
  }

  /** The next pause: between half of the time that is due and all of it. */
  next(): number {
    const due = this.#next
    this.#next = Math.min(this.#pauses.longest, due * 2)
    return due * (0.5 + Math.random() / 2)
  }

  /** Call it after a successful attempt. */
  reset(): void {
    this.#next = this.#pauses.first
  }
}

/** A pause that varies by a fifth either way. */
export const around = (milliseconds: number): number => milliseconds * (0.8 + Math.random() * 0.4)

/** Longer waits overflow node's timers, which then do not wait at all. */
const longestWait = 2 ** 31 - 1

/** A wait that can be cut short: news rings the bell, and a ring between two waits is not lost. */
export class Bell {
  #rung = false
  #wake: (() => void) | null = null

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /**
   * Waits for a ring, or for the given time.
   * @param least milliseconds to wait even if the bell rings
   */
  async wait(milliseconds: number, least = 0): Promise<void> {
    const rested = sleep(Math.min(milliseconds, least))
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(milliseconds, longestWait))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#wake = null
    await rested
    this.#rung = false
  }
}
