import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds. */
export interface Pauses {
  readonly first: number
  readonly longest: number
}

/** Pauses between attempts that fail: doubled each time up to the longest, and spread, so that many do not come at once. */
export class BackOff {
  readonly #pauses: Pauses
  #next: number

  constructor(pauses: Pauses) {
    this.#pauses = pauses
    this.#next = pauses.first
  }

  /** The next pause: between half and all of what is due. */
  next(): number {
    const due = this.#next
    this.#next = Math.min(this.#pauses.longest, due * 2)
    return due * (0.5 + Math.random() / 2)
  }

  /** After an attempt that went well. */
  reset(): void {
    this.#next = this.#pauses.first
  }
}

/** Around a pause, by a fifth either way. */
export const around = (milliseconds: number): number => milliseconds * (0.8 + Math.random() * 0.4)

/** Longer waits overflow node's timers, which then do not wait at all. */
const longestWait = 2 ** 31 - 1

/** A wait that can be cut short: whoever has news rings, and a ring in the meantime is not lost. */
export class Bell {
  #rung = false
  #wake: (() => void) | null = null

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /**
   * Waits for a ring, or as long as is said.
   * @param least milliseconds that are waited whoever rings
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
