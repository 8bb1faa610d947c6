import { setTimeout as sleep } from 'node:timers/promises'

import { faultOf } from './faults.ts'

/** How long a write waits for SQLite's lock while another process has it, in milliseconds. */
const patience = 5000
/** Between two tries, in milliseconds; the pauses grow, since most locks are held for a moment. */
const pauses = { first: 2, longest: 50 }

/** The moment at which who begins to wait now gives up, on the process's steady clock. */
export const untilGivenUp = (): number => performance.now() + patience

/**
 * Tries work again while another process has locked the SQLite file. SQLite's own waiting (`busy_timeout`) would block
 * the thread, and with it everybody who is served by it.
 * @param work one statement outside of a transaction, or the one that begins it: nothing is done when the lock is not free
 * @param end from `untilGivenUp`: whoever waited for their turn in this process has waited already. It is tried once at least
 * @throws what the last try threw
 */
export async function patiently<T>(work: () => T | Promise<T>, end = untilGivenUp()): Promise<T> {
  for (let pause = pauses.first; ; pause = Math.min(2 * pause, pauses.longest)) {
    try {
      return await work()
    } catch (error) {
      if (faultOf(error)?.fault !== 'locked' || performance.now() >= end) throw error
    }
    await sleep(pause)
  }
}
