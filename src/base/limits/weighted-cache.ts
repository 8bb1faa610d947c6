/**
 * Keeps the most recently used entries, within a budget of weight: the least recently used entry goes first. The owner
 * defines the weight, usually bytes, so that a few large entries cannot take the room of many small ones.
 */
export class WeightedCache<Value> {
  readonly #budget: number
  readonly #kept = new Map<string, { readonly value: Value; readonly weight: number }>()
  #weight = 0

  /** @param budget the weight that all entries together may have */
  constructor(budget: number) {
    this.#budget = budget
  }

  /** The weight of all entries. */
  get weight(): number {
    return this.#weight
  }

  get(key: string): Value | undefined {
    const entry = this.#kept.get(key)
    if (!entry) return undefined
    // A map iterates in the order of insertion: the least recently used entries are at its beginning.
    this.#kept.delete(key)
    this.#kept.set(key, entry)
    return entry.value
  }

  /** Stores a value in place of the previous one. A value that is heavier than the whole budget is not kept. */
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
