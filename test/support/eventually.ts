import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between two looks: the first come soon, for what is nearly there, and the later ones cost little. */
const soonest = 1
const latest = 100

/**
 * Waits until something holds, and returns what was seen then: the one way in which tests wait for what no promise tells
 * them of. The deadline is generous, for slow machines: a test that needs all of it has failed.
 * @param what it is; for a failure, with all that a function adds then, such as the output of a process
 * @param look at what is there now
 * @param holds whether that is enough; by default, anything that is true, or not null, and so on
 */
export async function eventually<T>(
  what: string | (() => string),
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean = Boolean,
  seconds = 45,
): Promise<T> {
  const end = performance.now() + seconds * 1000
  for (let pause = soonest; ; pause = Math.min(2 * pause, latest)) {
    const seen = await look()
    if (holds(seen)) return seen
    if (performance.now() > end) {
      const told = typeof what === 'string' ? what : what()
      throw new Error(`it did not come in ${seconds} s: ${told}; seen last: ${JSON.stringify(seen)}`)
    }
    await sleep(pause)
  }
}
