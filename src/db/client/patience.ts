import { setTimeout as sleep } from 'node:timers/promises'

import { faultOf } from './faults.ts'

/** How long a write waits for SQLite's lock while another process has it, in milliseconds. */
const patience = 5000
/** Between two tries, in milliseconds; the pauses grow, since most locks are held for a moment. */
const pauses = { first: 2, longest: 50 }

/** The time at which a wait that begins now ends, on the process's monotonic clock. */
export const untilGivenUp = (): number => performance.now() + patience

/**
 * Retries work while another process has locked the SQLite file. SQLite's own waiting (`busy_timeout`) would block the
 * thread, with all its requests.
 * @param work one statement outside of a transaction, or the one that begins it: without the lock, it does nothing
 * @param end from `untilGivenUp`: a caller that has already waited for its turn in this process passes an earlier end.
 * The work is tried at least once
 * @throws the error of the last try
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
