import { WeightedCache } from './weighted-cache.ts'

/** What each key may take. */
export interface BucketLimits {
  /** How much is refilled per second. */
  readonly perSecond: number
  /** How much may be taken at once after a pause. */
  readonly burst: number
  /** How far below zero a bucket may go when more is taken than it has. */
  readonly debt: number
  /** How many keys are remembered; the least recently used one is forgotten first, and has a full bucket again. */
  readonly keys: number
}

interface Bucket {
  readonly level: number
  /** By the clock, milliseconds. */
  readonly at: number
}

/** Budgets per second for each key, in bounded memory (token bucket). */
export class TokenBuckets {
  readonly #limits: BucketLimits
  readonly #now: () => number
  readonly #buckets: WeightedCache<Bucket>

  /** @param now a clock that only runs forwards, milliseconds */
  constructor(limits: BucketLimits, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#now = now
    this.#buckets = new WeightedCache(limits.keys)
  }

  /** What is left for a key; negative where more was taken than there was. */
  left(key: string): number {
    const { burst, perSecond } = this.#limits
    const bucket = this.#buckets.get(key)
    return bucket ? Math.min(burst, bucket.level + ((this.#now() - bucket.at) / 1000) * perSecond) : burst
  }

  /** Takes one, even from an empty bucket. Returns whether there was one. */
  take(key: string): boolean {
    const left = this.left(key)
    this.#buckets.set(key, { level: Math.max(left - 1, -this.#limits.debt), at: this.#now() }, 1)
    return left >= 1
  }

  /** In how many whole seconds one is available, if none is taken until then; at least 1. */
  secondsUntilNext(key: string): number {
    return Math.max(1, Math.ceil((1 - this.left(key)) / this.#limits.perSecond))
  }
}
