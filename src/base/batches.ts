/** Options for gathering. */
interface BatchOptions {
  /** The maximum number of keys in one batch; further keys wait for the next tick, so that no tick is long. */
  readonly size?: number
  /**
   * The maximum number of batches that are being answered. Keys gather in the meantime: the busier the database, the
   * larger the batches.
   */
  readonly atOnce?: number
  /** How to wait for further keys; by default `afterSockets`. */
  readonly wait?: (gathered: () => void) => void
}

/** Waits until all sockets with data in this tick were read: for keys of many requests. */
const afterSockets = (gathered: () => void): void => void setImmediate(gathered)

/**
 * Waits until all promises that can go on have gone on: for keys of one request. A request is answered to its end before
 * the next one, where the database answers at once: if all of them went on side by side, ten times as many objects would
 * be alive at a time.
 */
export const afterPromises = (gathered: () => void): void =>
  void Promise.resolve().then(() => process.nextTick(gathered))

interface Waiting<Key, Value> {
  readonly key: Key
  readonly resolve: (value: Value) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers all keys that are asked for in one tick of the event loop and answers them together. Nothing is cached: the
 * work for a key begins after it was asked for.
 */
export class Batches<Key, Value> {
  readonly #answer: (keys: readonly Key[]) => Promise<readonly (Value | Error)[]>
  readonly #size: number
  readonly #atOnce: number
  readonly #wait: (gathered: () => void) => void
  #waiting: Waiting<Key, Value>[] = []
  #isPlanned = false
  #running = 0

  /**
   * @param answer answers many keys, in their order. An Error in the list answers its own key only; a thrown error
   * answers all of them
   */
  constructor(
    answer: (keys: readonly Key[]) => Promise<readonly (Value | Error)[]>,
    { size = Infinity, atOnce = Infinity, wait = afterSockets }: BatchOptions = {},
  ) {
    this.#answer = answer
    this.#size = size
    this.#atOnce = atOnce
    this.#wait = wait
  }

  ask(key: Key): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      this.#plan()
    })
  }

  #plan(): void {
    if (this.#isPlanned || this.#waiting.length === 0 || this.#running >= this.#atOnce) return
    this.#isPlanned = true
    this.#wait(() => {
      this.#isPlanned = false
      void this.#next()
    })
  }

  async #next(): Promise<void> {
    const batch = this.#waiting.splice(0, this.#size)
    this.#running += 1
    this.#plan()
    try {
      const values = await this.#answer(batch.map(({ key }) => key))
      batch.forEach(({ resolve, reject }, at) => {
        const value = values[at] as Value | Error
        if (value instanceof Error) reject(value)
        else resolve(value)
      })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.#running -= 1
    this.#plan()
  }
}
