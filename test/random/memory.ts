import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** How much more memory than after the first third of a run may be in use at its end. */
const most = 1.5

/**
 * The collector of garbage.
 * @throws Error where this node does not let go of it: without it nothing could be said of memory
 */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc !== 'function') throw new Error('this node has no gc(): memory cannot be measured')
  const collect = gc as () => void
  return () => collect()
}

/** Compares the memory in use (heap and buffers, in bytes, after collecting) at the end of a run with its beginning. */
export class Memory {
  readonly #collect = collector()
  #baseline: number | null = null

  setBaseline(): void {
    this.#baseline = this.#used()
  }

  /** What is wrong; null when the memory came back. */
  problem(): string | null {
    if (this.#baseline === null) throw new Error('no baseline was taken')
    const used = this.#used()
    if (used <= most * this.#baseline) return null
    return `memory does not come back: ${megabytes(this.#baseline)} after the first third, ${megabytes(used)} at the end`
  }

  #used(): number {
    this.#collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
