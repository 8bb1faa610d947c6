/** Lets one piece of work at a time pass, in the order of arrival. */
export class Mutex {
  #last: Promise<void> = Promise.resolve()

  /** Resolves when it is the caller's turn, with the function that ends it; a second call of that does nothing. */
  async enter(): Promise<() => void> {
    const before = this.#last
    let leave: () => void = () => undefined
    this.#last = new Promise((resolve) => (leave = resolve))
    await before
    return leave
  }

  /** Runs work when it is its turn, and lets the next one pass when it has ended, even with an error. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
