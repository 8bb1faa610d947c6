import { expect } from '@jest/globals'

const MiB = 1024 * 1024

/** Milliseconds of processor time that the whole program has had: a busy machine does not lengthen them. */
function time(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Bytes that this program holds, as far as they are for its own use. */
function memory(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/**
 * Asserts that something leaves the event loop to others: no turn of it takes half of all the work (a part of it and no
 * time, since a time says more of the machine than of the program; what does all at once takes nearly the whole); and
 * that it takes no more than 64 MiB of memory at any time, garbage included.
 */
export async function expectShortTicks<T>(work: () => Promise<T>): Promise<T> {
  const before = memory()
  const start = time()
  let peak = before
  let longest = 0
  let last = start
  let going = true
  const turn = (): void => {
    const now = time()
    longest = Math.max(longest, now - last)
    last = now
    peak = Math.max(peak, memory())
    if (going) setImmediate(turn)
  }
  setImmediate(turn)
  try {
    return await work()
  } finally {
    going = false
    const end = time()
    // Work that never let go has had no turn at all that could have been seen.
    longest = Math.max(longest, end - last)
    expect(longest / (end - start)).toBeLessThan(0.5)
    expect((peak - before) / MiB).toBeLessThan(64)
  }
}
