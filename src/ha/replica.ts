import { newId } from '../base/ids.ts'
import { within } from '../base/deadline.ts'
import type { Logger } from '../base/log.ts'
import { type ReplicaTimes, replicaTimes } from '../db/writes/lease.ts'
import { Belief, type Moment, readClocks } from './belief.ts'

export type ReplicaRole = 'master' | 'replica'

/** What an instance needs of the table of instances. Every call may fail; it is then repeated. */
export interface ReplicaRegistry {
  /**
   * Registers the instance and returns its role. It takes over the row of its address; with `onlyLate`, not from an
   * instance that is alive: then it returns null.
   */
  register(instance: { id: string; address: string }, options: { onlyLate: boolean }): Promise<ReplicaRole | null>
  /** A sign of life; the role, or null when the instance is not known any more. */
  heartbeat(id: string): Promise<ReplicaRole | null>
  /** Makes the instance the master if no instance holds a valid lease; returns whether it did. */
  takeOver(id: string): Promise<boolean>
  /** Deletes this instance. */
  release(id: string): Promise<void>
}

export interface ReplicaOptions {
  readonly registry: ReplicaRegistry
  /** The full URL of this instance; one instance per address. */
  readonly address: string
  readonly intervals?: Omit<ReplicaTimes, 'keep'>
  readonly log: Logger
  /** Called when the instance becomes the master; the function says whether it still is. */
  readonly onPromoted?: (isMaster: () => boolean) => void | Promise<void>
  /** Called when it stops being the master. `stop` waits for it before another instance can take over. */
  readonly onDemoted?: () => void | Promise<void>
  /** For tests. */
  readonly clocks?: () => Moment
}

export interface RunningReplica {
  readonly id: string
  /** Whether this instance is the master at this moment. Two instances of one database never are at the same time. */
  isMaster(): boolean
  /**
   * Gives up the role and deletes the row, so that another instance takes over at its next heartbeat. Never rejects.
   */
  stop(): Promise<void>
}

/**
 * Registers this process as an instance and keeps it registered by heartbeats; whenever there is no master, it tries to
 * become it. Returns after the first attempt to register. A failure of the database does not end it: it is logged once
 * and retried until it works, and a master without a connection stops being the master before its lease expires.
 */
export async function startReplica(options: ReplicaOptions): Promise<RunningReplica> {
  const replica = new Replica(options)
  await replica.beat()
  return { id: replica.id, isMaster: () => replica.isMaster(), stop: () => replica.stop() }
}

class Replica {
  /** Every run of the program is an instance of its own. */
  readonly id = newId()
  readonly #options: ReplicaOptions
  readonly #times: Omit<ReplicaTimes, 'keep'>
  readonly #clocks: () => Moment
  readonly #belief: Belief
  /** Whether this instance has a row; `lost` when it had one and the row is gone. */
  #row: 'none' | 'known' | 'lost' = 'none'
  #announced = false
  #troubled = false
  #beating: Promise<void> = Promise.resolve()
  /** The last call of `onPromoted` or `onDemoted`. */
  #changing: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | null = null
  #nextBeat: NodeJS.Timeout | undefined
  #nextLook: NodeJS.Timeout | undefined

  constructor(options: ReplicaOptions) {
    this.#options = options
    this.#times = options.intervals ?? replicaTimes
    this.#clocks = options.clocks ?? readClocks
    this.#belief = new Belief(this.#times, this.#clocks)
  }

  isMaster(): boolean {
    return !this.#stopping && this.#belief.held
  }

  /** Sends one heartbeat, and schedules the next. */
  beat(): Promise<void> {
    this.#beating = this.#report().then(
      () => this.#settle(null, this.#times.heartbeat),
      (error: unknown) => this.#settle(error, this.#times.heartbeat / 4),
    )
    return this.#beating
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { registry, log } = this.#options
    clearTimeout(this.#nextBeat)
    this.#belief.lost()
    this.#announce()
    // A statement that is still running might bring the row back after it was deleted.
    await this.#beating
    await this.#changing
    try {
      await this.#bounded(registry.release(this.id))
    } catch (err) {
      log.warn({ err }, 'the row of this instance could not be deleted; the others will see it grow old')
    }
  }

  async #report(): Promise<void> {
    const { registry, log, address } = this.#options
    const begin = this.#clocks()
    let role = this.#row === 'known' ? await this.#bounded(registry.heartbeat(this.id)) : null
    if (this.#stopping) return
    if (role === null) {
      this.#belief.lost()
      if (this.#row === 'known') {
        this.#row = 'lost'
        log.warn({ instance: this.id }, 'the row of this instance is gone; registering again')
      }
      const onlyLate = this.#row === 'lost'
      role = await this.#bounded(registry.register({ id: this.id, address }, { onlyLate }))
      if (role === null) throw new Error(`another instance that is alive has the address ${address}`)
      this.#row = 'known'
    }
    if (role === 'master') {
      this.#belief.confirmed(begin)
    } else {
      this.#belief.lost()
      if (await this.#bounded(registry.takeOver(this.id))) this.#belief.won(begin)
    }
    this.#announce()
  }

  #settle(error: unknown, delay: number): void {
    const { log } = this.#options
    const troubled = error !== null
    if (troubled && !this.#troubled) log.warn({ err: error }, 'no heartbeat; trying again until it works')
    if (!troubled && this.#troubled) log.info('heartbeats work again')
    this.#troubled = troubled
    this.#announce()
    if (this.#stopping) return
    // Instances that were started together must not send heartbeats together.
    this.#nextBeat = setTimeout(() => void this.beat(), delay * (0.8 + 0.2 * Math.random())).unref()
  }

  /** Announces changes, and checks again when the passing of time may change the role. */
  #announce(): void {
    const { log, onPromoted, onDemoted } = this.#options
    clearTimeout(this.#nextLook)
    const master = this.isMaster()
    if (master !== this.#announced) {
      this.#announced = master
      log.info(
        { instance: this.id },
        master ? 'this instance is the master' : 'this instance is not the master any more',
      )
      this.#changing = this.#call(master ? () => onPromoted?.(() => this.isMaster()) : onDemoted)
    }
    const delay = this.#stopping ? null : this.#belief.changesIn
    if (delay !== null) this.#nextLook = setTimeout(() => this.#announce(), Math.ceil(delay)).unref()
  }

  async #call(callback: (() => void | Promise<void>) | undefined): Promise<void> {
    try {
      await callback?.()
    } catch (err) {
      this.#options.log.error({ err }, 'taking up or giving up the master’s work failed')
    }
  }

  /** The result of a call, unless it takes so long that it counts as failed; a later result is ignored. */
  #bounded<T>(call: Promise<T>): Promise<T> {
    const limit = this.#times.lease / 3
    return within(limit, call, `the database did not answer within ${limit} ms`)
  }
}
