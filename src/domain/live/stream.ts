import type { Scope } from '../../auth/scope.ts'
import type { Mailbox, News } from './mailbox.ts'

/** Whoever listens, and until when. */
export interface Listener {
  readonly scope: Scope
  /** Whether the credential still leads to the same caller: asked before each event, and at each look. */
  readonly isAllowed: () => Promise<boolean>
  /** The node that listens; null for people. */
  readonly nodeId: string | null
  /** When the credential ends by itself; null for one that does not. */
  readonly expiresAt: Date | null
}

/** Where a stream gets its news. */
export interface Source {
  /** From now on the stream is told; the first it is told is the present state. Returns how to leave. */
  join(stream: Follower): () => void
}

/** A stream as its cluster sees it. */
export interface Follower {
  readonly scope: Scope
  readonly nodeId: string | null
  /** Whether it wants to hear of nodes and instances, and not only of versions. */
  readonly isCurious: boolean
  put(news: News): void
  /** Lets it look whether something was put for it. */
  wake(): void
  /** Lets it ask, when it is next woken, whether its caller may still listen. */
  doubt(): void
  end(): void
  /** The state it waits for cannot be read. */
  fail(error: unknown): void
}

/** The longest that a timer of JavaScript waits, in milliseconds. */
const longestTimer = 2 ** 31 - 1

/**
 * One caller's stream of a cluster's news. Not an async generator: that one could not be left while it waits. It joins
 * with the first `next`, holds a mailbox and no queue, and re-authenticates its caller before each event.
 */
export class LiveStream<T> implements AsyncIterableIterator<T, undefined>, Follower {
  readonly isCurious: boolean
  readonly #source: Source
  readonly #listener: Listener
  readonly #mailbox: Mailbox<T>
  #state: 'new' | 'joined' | 'ended' = 'new'
  #isDoubted = false
  #failure: { readonly error: unknown } | null = null
  #leave: (() => void) | null = null
  #expiry: NodeJS.Timeout | undefined
  #wake: (() => void) | null = null

  constructor(source: Source, listener: Listener, { mailbox, isCurious }: { mailbox: Mailbox<T>; isCurious: boolean }) {
    this.#source = source
    this.#listener = listener
    this.#mailbox = mailbox
    this.isCurious = isCurious
  }

  get scope(): Scope {
    return this.#listener.scope
  }

  get nodeId(): string | null {
    return this.#listener.nodeId
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#state === 'new') this.#join()
    try {
      while (this.#isOpen) {
        if (this.#failure) throw this.#failure.error
        if (this.#isDoubted) await this.#askInDoubt()
        else if (this.#mailbox.isEmpty) await new Promise<void>((resolve) => (this.#wake = resolve))
        else if (await this.#isAllowed()) return { done: false, value: this.#mailbox.take() }
      }
    } catch (error) {
      this.end()
      throw error
    }
    return { done: true, value: undefined }
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  put(news: News): void {
    this.#mailbox.put(news)
  }

  wake(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  doubt(): void {
    this.#isDoubted = true
  }

  end(): void {
    this.#state = 'ended'
    this.#leave?.()
    this.#leave = null
    clearTimeout(this.#expiry)
    this.wake()
  }

  fail(error: unknown): void {
    this.#failure = { error }
    this.wake()
  }

  #join(): void {
    this.#state = 'joined'
    this.#leave = this.#source.join(this)
    // It may have ended at once: the server stops.
    if (this.#isOpen) this.#awaitExpiry()
    else this.end()
  }

  get #isOpen(): boolean {
    return this.#state === 'joined'
  }

  #awaitExpiry(): void {
    const { expiresAt } = this.#listener
    if (expiresAt === null) return
    const left = expiresAt.getTime() - Date.now()
    const act = () => (left > longestTimer ? this.#awaitExpiry() : this.end())
    this.#expiry = setTimeout(act, Math.max(0, Math.min(left, longestTimer))).unref()
  }

  /** Ends the stream of a caller who may not listen any more; false also when it ended in the meantime. */
  async #isAllowed(): Promise<boolean> {
    this.#isDoubted = false
    if (!(await this.#listener.isAllowed())) this.end()
    return this.#isOpen
  }

  /** Nothing is told here, so that a database which cannot be asked now ends no stream: the next look asks again. */
  async #askInDoubt(): Promise<void> {
    try {
      await this.#isAllowed()
    } catch {
      // Whoever has something to be told fails on the way there.
    }
  }
}
