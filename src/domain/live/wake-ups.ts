import type { Follower } from './stream.ts'

type Sleeper = Pick<Follower, 'wake'>

/** Streams that are woken in one tick of the event loop: requests are answered between the ticks. */
const perTick = 128

/**
 * Wakes a limited number of streams per tick: one event for ten thousand streams needs as many look-ups of credentials
 * and writes to sockets. Streams that are woken in the same tick share a look-up.
 */
export class WakeUps {
  #waiting = new Set<Sleeper>()
  #isRunning = false

  /** Makes a stream check its mailbox soon; several calls until then count as one. */
  wake(stream: Sleeper): void {
    this.#waiting.add(stream)
    if (this.#isRunning) return
    this.#isRunning = true
    setImmediate(() => this.#tick())
  }

  #tick(): void {
    let woken = 0
    for (const stream of this.#waiting) {
      this.#waiting.delete(stream)
      stream.wake()
      woken += 1
      if (woken === perTick) break
    }
    this.#isRunning = this.#waiting.size > 0
    if (this.#isRunning) setImmediate(() => this.#tick())
  }
}
