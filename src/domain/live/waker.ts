import type { Follower } from './stream.ts'

/** Streams that are woken in one turn of the event loop: in between, requests are answered. */
const perTurn = 128

/**
 * Wakes streams, so many a turn: one event for ten thousand of them is as many look-ups of credentials and writes to
 * sockets. Whoever is woken in the same turn is looked up together.
 */
export class Waker {
  #waiting = new Set<Follower>()
  #isRunning = false

  /** Lets a stream look at its mailbox soon; once, however often it is asked for until then. */
  wake(stream: Follower): void {
    this.#waiting.add(stream)
    if (this.#isRunning) return
    this.#isRunning = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    let woken = 0
    for (const stream of this.#waiting) {
      this.#waiting.delete(stream)
      stream.wake()
      woken += 1
      if (woken === perTurn) break
    }
    this.#isRunning = this.#waiting.size > 0
    if (this.#isRunning) setImmediate(() => this.#turn())
  }
}
