import type { Scope } from '../../auth/scope.ts'
import type { Mailbox, News } from './mailbox.ts'

/** The listening caller, and for how long it may listen. */
export interface Listener {
  readonly scope: Scope
  /** Whether the credential still belongs to the same caller: checked before each event, and at each regular check. */
  readonly isAllowed: () => Promise<boolean>
  /** The node that listens; null for people. */
  readonly nodeId: string | null
  /** When the credential expires; null if it does not. A check may find another time: the token was replaced. */
  readonly expiresAt: Date | null
}

/** The source of a stream's events. */
export interface Source<Told = News> {
  /** Subscribes a stream; its first event is the current state. Returns the function that unsubscribes. */
  join(stream: Follower<Told>): () => void
}

/** A stream as its cluster, or its fleet, sees it. */
export interface Follower<Told = News> {
  readonly scope: Scope
  readonly nodeId: string | null
  /** Whether it receives events of nodes and instances in addition to versions. */
  readonly isCurious: boolean
  put(news: Told): void
  /** Makes it check its mailbox. */
  wake(): void
  /** Makes it check, when it is next woken, whether its caller may still listen. */
  checkCredential(): void
  end(): void
  /** Reports that the awaited state cannot be read. */
  fail(error: unknown): void
}

/** The maximum delay of a JavaScript timer, in milliseconds. */
const longestTimer = 2 ** 31 - 1

/**
 * One caller's stream of a cluster's or a fleet's events. Not an async generator, which could not be ended while it waits. It joins
 * with the first `next`, holds a mailbox instead of a queue, and re-authenticates its caller before each event.
 */
export class LiveStream<T, Told = News> implements AsyncIterableIterator<T, undefined>, Follower<Told> {
  readonly isCurious: boolean
  readonly #source: Source<Told>
  readonly #listener: Listener
  readonly #mailbox: Mailbox<T, Told>
  #state: 'new' | 'joined' | 'ended' = 'new'
  #isToBeChecked = false
  #failure: { readonly error: unknown } | null = null
  #leave: (() => void) | null = null
  /** The end that its timer awaits. */
  #expiresAt: Date | null = null
  #expiry: NodeJS.Timeout | undefined
  #wake: (() => void) | null = null

  constructor(
    source: Source<Told>,
    listener: Listener,
    { mailbox, isCurious }: { mailbox: Mailbox<T, Told>; isCurious: boolean },
  ) {
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
        if (this.#isToBeChecked) await this.#checkNow()
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

  put(news: Told): void {
    this.#mailbox.put(news)
  }

  wake(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  checkCredential(): void {
    this.#isToBeChecked = true
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
    // The stream may have ended immediately, if the server stops.
    if (this.#isOpen) this.#awaitExpiry()
    else this.end()
  }

  get #isOpen(): boolean {
    return this.#state === 'joined'
  }

  #awaitExpiry(): void {
    const { expiresAt } = this.#listener
    this.#expiresAt = expiresAt
    clearTimeout(this.#expiry)
    if (expiresAt === null) return
    const left = expiresAt.getTime() - Date.now()
    const act = () => (left > longestTimer ? this.#awaitExpiry() : this.end())
    this.#expiry = setTimeout(act, Math.max(0, Math.min(left, longestTimer))).unref()
  }

  /** Ends the stream of a caller that may no longer listen; also false when the stream ended in the meantime. */
  async #isAllowed(): Promise<boolean> {
    this.#isToBeChecked = false
    if (!(await this.#listener.isAllowed())) this.end()
    else if (this.#isOpen && this.#listener.expiresAt?.getTime() !== this.#expiresAt?.getTime()) this.#awaitExpiry()
    return this.#isOpen
  }

  /** Errors are ignored here, so a database that does not answer ends no stream: the next check tries again. */
  async #checkNow(): Promise<void> {
    try {
      await this.#isAllowed()
    } catch {
      // A stream with an event to send fails on its own check.
    }
  }
}
