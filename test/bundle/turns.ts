import { existsSync, readFileSync } from 'node:fs'
import { expect } from '@jest/globals'

const MiB = 1024 * 1024

/**
 * Milliseconds that this thread has had the processor, where the system tells (Linux, proc(5)); the clock elsewhere. On a
 * busy machine the clock goes on while others work, which is not what a test of ours is about.
 */
const own = `/proc/self/task/${process.pid}/schedstat`
const time = existsSync(own)
  ? (): number => Number(readFileSync(own, 'latin1').split(' ')[0]) / 1e6
  : (): number => performance.now()

/** Bytes that this program holds, as far as they are for its own use. */
function memory(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/**
 * Asserts that something leaves the event loop to others: no turn of it takes 50 ms; and that it takes no more than
 * 64 MiB of memory at any time, garbage included.
 */
export async function expectShortTurns<T>(work: () => Promise<T>): Promise<T> {
  const before = memory()
  let peak = before
  let longest = 0
  let last = time()
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
    expect(longest).toBeLessThan(50)
    expect((peak - before) / MiB).toBeLessThan(64)
  }
}
