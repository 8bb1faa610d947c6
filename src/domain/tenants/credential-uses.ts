import type { Operator } from '../../auth/scope.ts'
import { Mutex } from '../../base/limits/mutex.ts'
import type { Logger } from '../../base/log.ts'

interface Dependencies {
  readonly operator: Operator
  readonly log: Logger
  /** Milliseconds between the first use and the write; null: only `flush` writes. */
  readonly interval?: number | null
  /** The time, for tests; milliseconds since 1970. */
  readonly now?: () => number
}

const minute = 60_000

/**
 * Collects in memory which people's credentials were used, to the minute, and writes all of them in one statement, at
 * most once a minute. Uses since the last write are lost when the process is killed.
 */
export class CredentialUses {
  readonly #operator: Operator
  readonly #log: Logger
  readonly #interval: number | null
  readonly #now: () => number
  /** The last minute that was noted for a credential. */
  readonly #noted = new Map<string, number>()
  #pending = new Map<string, number>()
  readonly #flushing = new Mutex()
  #timer: NodeJS.Timeout | null = null
  #failures = 0
  #stopped = false

  constructor({ operator, log, interval = minute, now = Date.now }: Dependencies) {
    this.#operator = operator
    this.#log = log
    this.#interval = interval
    this.#now = now
  }

  /** Notes that a credential was used. Cheap: called with each request, and each check of a stream. */
  used(credentialId: string): void {
    const usedAt = this.#minute()
    if (this.#noted.get(credentialId) === usedAt) return
    this.#noted.set(credentialId, usedAt)
    this.#keep(credentialId, usedAt)
    this.#plan()
  }

  /** Writes what was collected. What cannot be written stays. @throws errors of the database */
  flush(): Promise<void> {
    return this.#flushing.alone(() => this.#write())
  }

  /** Writes the rest and plans no more writes. @throws errors of the database, if they occur twice */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    try {
      await this.flush()
    } catch {
      await this.flush()
    }
  }

  #minute(): number {
    return Math.floor(this.#now() / minute) * minute
  }

  /** A clock that was set back does not take back a later use. */
  #keep(credentialId: string, usedAt: number): void {
    this.#pending.set(credentialId, Math.max(usedAt, this.#pending.get(credentialId) ?? usedAt))
  }

  #plan(): void {
    if (this.#interval === null || this.#timer !== null || this.#stopped) return
    this.#timer = setTimeout(() => void this.#flushInTime(), this.#interval)
  }

  async #flushInTime(): Promise<void> {
    try {
      await this.flush()
      if (this.#failures > 0) this.#log.info({ failures: this.#failures }, 'uses of credentials are written again')
      this.#failures = 0
    } catch (error) {
      // Logged once, not every minute.
      if (this.#failures === 0) this.#log.error({ err: error }, 'uses of credentials were not written; they are kept')
      this.#failures += 1
    }
    this.#timer = null
    if (this.#pending.size > 0) this.#plan()
  }

  async #write(): Promise<void> {
    const present = this.#minute()
    for (const [credentialId, at] of this.#noted) if (at !== present) this.#noted.delete(credentialId)
    if (this.#pending.size === 0) return
    const writing = this.#pending
    this.#pending = new Map()
    try {
      await this.#operator.credentialUses.write(
        Array.from(writing, ([credentialId, usedAt]) => ({ credentialId, usedAt })),
      )
    } catch (error) {
      for (const [credentialId, usedAt] of writing) this.#keep(credentialId, usedAt)
      throw error
    }
  }
}
