/** A point in time on both of the process's clocks, in milliseconds. */
export interface Moment {
  /** Is never set, but stands still while the machine sleeps. */
  readonly steady: number
  /** Jumps when it is set, and after a sleep. */
  readonly wall: number
}

export const readClocks = (): Moment => ({ steady: performance.now(), wall: Date.now() })

/** The longest time that can have passed: the larger of the two clocks' answers. */
const longest = (from: Moment, to: Moment) => Math.max(to.steady - from.steady, to.wall - from.wall)
/** The shortest time that can have passed. */
const shortest = (from: Moment, to: Moment) => to.steady - from.steady

/**
 * Whether this process is the master. Computed from the clocks on every call, never remembered: a process that was
 * stopped for a while and resumes is not the master, not even before its first timer runs.
 */
export class Mastership {
  readonly #times: { readonly validity: number; readonly lease: number }
  readonly #clocks: () => Moment
  /** When the last statement began that found or made this process the master. */
  #confirmed: Moment | null = null
  /** Since when it waits for another instance's lease to expire. */
  #waiting: Moment | null = null

  constructor(times: { readonly validity: number; readonly lease: number }, clocks: () => Moment) {
    this.#times = times
    this.#clocks = clocks
  }

  get held(): boolean {
    if (!this.#confirmed) return false
    const now = this.#clocks()
    if (this.#waiting && shortest(this.#waiting, now) < this.#times.lease) return false
    return longest(this.#confirmed, now) < this.#times.validity
  }

  /** The role was vacant and is this process's now. `begin`: a time before the heartbeat that confirms it was sent. */
  won(begin: Moment): void {
    this.#confirmed = begin
    this.#waiting = null
  }

  /**
   * The database says that this process is the master. If the process knew that within a lease's time, no other
   * instance was master in between. Otherwise the role was assigned: by an operator, or by an old row with its address.
   * Then another instance may still act as the master until its lease expires.
   */
  confirmed(begin: Moment): void {
    const now = this.#clocks()
    if (!this.#confirmed || longest(this.#confirmed, now) >= this.#times.lease) this.#waiting = now
    this.#confirmed = begin
  }

  lost(): void {
    this.#confirmed = null
    this.#waiting = null
  }

  /** Milliseconds until the passing of time alone may change `held`; null when it cannot. */
  get changesIn(): number | null {
    if (!this.#confirmed) return null
    const now = this.#clocks()
    const changes = [
      this.#times.validity - longest(this.#confirmed, now),
      ...(this.#waiting ? [this.#times.lease - shortest(this.#waiting, now)] : []),
    ].filter((delay) => delay > 0)
    return changes.length === 0 ? null : Math.min(...changes)
  }
}
