import { LimitError } from '../errors.ts'

/** How many places may be taken at once. */
export interface PlaceLimits {
  readonly ofOwner: number
  /** Of all owners together. */
  readonly all: number
  /** Seconds after which a caller that found no place may ask again. */
  readonly retryAfterSeconds: number
}

/** A number of places, of which each owner has a share: for long work that cannot be postponed, such as a transfer. */
export class Places {
  readonly #what: string
  readonly #limits: PlaceLimits
  readonly #taken = new Map<string, number>()
  #all = 0

  /** @param what the use of a place, in the plural, as a refusal names it */
  constructor(what: string, limits: PlaceLimits) {
    this.#what = what
    this.#limits = limits
  }

  /** How many places are taken, for tests. */
  get size(): number {
    return this.#all
  }

  /**
   * Takes a place at once.
   * @returns releases it; a second call does nothing
   * @throws LimitError with seconds to wait, when the owner's share or all places are taken
   */
  take(owner: string): () => void {
    const own = this.#taken.get(owner) ?? 0
    if (own >= this.#limits.ofOwner || this.#all >= this.#limits.all) {
      throw new LimitError(`There are too many ${this.#what} at once; try again later.`, this.#limits.retryAfterSeconds)
    }
    this.#count(owner, 1)
    let isTaken = true
    return () => {
      if (isTaken) this.#count(owner, -1)
      isTaken = false
    }
  }

  #count(owner: string, change: 1 | -1): void {
    const own = (this.#taken.get(owner) ?? 0) + change
    this.#all += change
    if (own === 0) this.#taken.delete(owner)
    else this.#taken.set(owner, own)
  }
}
