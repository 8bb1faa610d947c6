/**
 * Keeps what was used last, within a budget of weight: of two entries, the one that was used longer ago goes first. The
 * weight is whatever its owner counts, bytes as a rule, so that a few large entries cannot take what many small ones may.
 */
export class WeightedCache<Value> {
  readonly #budget: number
  readonly #kept = new Map<string, { readonly value: Value; readonly weight: number }>()
  #weight = 0

  /** @param budget the weight that all entries together may have */
  constructor(budget: number) {
    this.#budget = budget
  }

  /** The weight of all that is kept. */
  get weight(): number {
    return this.#weight
  }

  get(key: string): Value | undefined {
    const entry = this.#kept.get(key)
    if (!entry) return undefined
    // A map hands out its keys in the order of their insertion: the ones that nobody uses are at its beginning.
    this.#kept.delete(key)
    this.#kept.set(key, entry)
    return entry.value
  }

  /** Keeps a value in place of the one before. One that is heavier than the whole budget is not kept. */
  set(key: string, value: Value, weight: number): void {
    this.#remove(key)
    if (weight > this.#budget) return
    this.#kept.set(key, { value, weight })
    this.#weight += weight
    for (const oldest of this.#kept.keys()) {
      if (this.#weight <= this.#budget) return
      this.#remove(oldest)
    }
  }

  #remove(key: string): void {
    this.#weight -= this.#kept.get(key)?.weight ?? 0
    this.#kept.delete(key)
  }
}
