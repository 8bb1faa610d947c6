/** Lets one task at a time pass, in the order of arrival. */
export class Turnstile {
  #last: Promise<void> = Promise.resolve()

  /** Resolves when it is the caller's turn, with the function that ends it. */
  async enter(): Promise<() => void> {
    const before = this.#last
    const { promise, resolve } = promiseWithResolver()
    this.#last = promise
    await before
    return resolve
  }

  /** Runs a task when it is its turn, and lets the next one pass when it has ended, even with an error. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }
}

function promiseWithResolver(): {
  promise: Promise<void>
  resolve: () => void
} {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
