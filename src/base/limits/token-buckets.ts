import { WeightedCache } from './weighted-cache.ts'

/** What each key may take. */
export interface BucketLimits {
  /** How much comes back a second. */
  readonly perSecond: number
  /** How much may be taken at once after a pause. */
  readonly burst: number
  /** How far below nothing a bucket goes when more is taken than there is. */
  readonly debt: number
  /** Keys that are remembered; the one that took nothing for longest is forgotten first, and has a full bucket again. */
  readonly keys: number
}

interface Bucket {
  readonly level: number
  /** By the clock, milliseconds. */
  readonly at: number
}

/** Budgets of so much a second for each key, in bounded memory (token bucket). */
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

  /** What is left for a key; negative where it took more than there was. */
  left(key: string): number {
    const { burst, perSecond } = this.#limits
    const bucket = this.#buckets.get(key)
    return bucket ? Math.min(burst, bucket.level + ((this.#now() - bucket.at) / 1000) * perSecond) : burst
  }

  /** Takes one, also where there is none. Returns whether there was one. */
  take(key: string): boolean {
    const left = this.left(key)
    this.#buckets.set(key, { level: Math.max(left - 1, -this.#limits.debt), at: this.#now() }, 1)
    return left >= 1
  }

  /** In how many whole seconds there is one to take, if nobody takes any meanwhile; at least 1. */
  secondsUntilNext(key: string): number {
    return Math.max(1, Math.ceil((1 - this.left(key)) / this.#limits.perSecond))
  }
}
