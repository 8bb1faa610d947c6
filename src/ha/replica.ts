import { newId } from '../base/ids.ts'
import type { Logger } from '../base/log.ts'
import { type ReplicaTimes, replicaTimes } from '../db/writes/lease.ts'
import { Belief, type Moment, readClocks } from './belief.ts'

export type ReplicaRole = 'master' | 'replica'

/** What an instance needs of the table of instances. Every call may fail; it is then made again. */
export interface ReplicaRegistry {
  /**
   * Makes the instance known and returns its role. The row of its address is taken over; with `onlyLate` not from an
   * instance that is alive: null then.
   */
  register(instance: { id: string; address: string }, options: { onlyLate: boolean }): Promise<ReplicaRole | null>
  /** A sign of life; the role, or null when the instance is not known any more. */
  heartbeat(id: string): Promise<ReplicaRole | null>
  /** Makes the instance the master if there is none whose lease runs; whether it did. */
  takeOver(id: string): Promise<boolean>
  /** Forgets instances that were not heard of for long. */
  prune(): Promise<unknown>
  /** Forgets this instance. */
  release(id: string): Promise<void>
}

export interface ReplicaOptions {
  readonly registry: ReplicaRegistry
  /** The full URL under which this instance is reached; one instance an address. */
  readonly address: string
  /** Made up when absent: every run of the program is an instance of its own. */
  readonly id?: string
  readonly intervals?: Omit<ReplicaTimes, 'keep'>
  readonly log: Logger
  /** Called when the instance begins to take itself for the master, and when it ends to. */
  readonly onPromoted?: () => void | Promise<void>
  readonly onDemoted?: () => void | Promise<void>
  /** For tests. */
  readonly clocks?: () => Moment
}

export interface RunningReplica {
  readonly id: string
  /** Whether this instance is the master at this moment. Two instances of one database never both are. */
  isMaster(): boolean
  /** Gives up the role and the row, so that another instance takes over at its next heartbeat. Never rejects. */
  stop(): Promise<void>
}

/**
 * Registers this process as an instance and keeps it known by heartbeats; whenever there is no master, it tries to
 * become it. Returns after the first try to register. No failure of the database ends it: it is logged once, tried
 * again until it works, and a master that cannot be heard of stops to take itself for one before its lease runs out.
 */
export async function startReplica(options: ReplicaOptions): Promise<RunningReplica> {
  const replica = new Replica(options)
  await replica.beat()
  return { id: replica.id, isMaster: () => replica.isMaster(), stop: () => replica.stop() }
}

class Replica {
  readonly id: string
  readonly #options: ReplicaOptions
  readonly #times: Omit<ReplicaTimes, 'keep'>
  readonly #clocks: () => Moment
  readonly #belief: Belief
  /** Whether a row of this instance is there; `lost` when there was one and it is gone. */
  #row: 'none' | 'known' | 'lost' = 'none'
  #announced = false
  #troubled = false
  #beating: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | null = null
  #nextBeat: NodeJS.Timeout | undefined
  #nextLook: NodeJS.Timeout | undefined

  constructor(options: ReplicaOptions) {
    this.id = options.id ?? newId()
    this.#options = options
    this.#times = options.intervals ?? replicaTimes
    this.#clocks = options.clocks ?? readClocks
    this.#belief = new Belief(this.#times, this.#clocks)
  }

  isMaster(): boolean {
    return !this.#stopping && this.#belief.held
  }

  /** One heartbeat, and the appointment for the next one. */
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
    // A statement that is under way might bring the row back after it was deleted.
    await this.#beating
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
    if (this.isMaster()) await this.#bounded(registry.prune())
  }

  #settle(error: unknown, delay: number): void {
    const { log } = this.#options
    const troubled = error !== null
    if (troubled && !this.#troubled) log.warn({ err: error }, 'no heartbeat; trying again until it works')
    if (!troubled && this.#troubled) log.info('heartbeats work again')
    this.#troubled = troubled
    this.#announce()
    if (this.#stopping) return
    // Instances that were started together do not report together.
    this.#nextBeat = setTimeout(() => void this.beat(), delay * (0.8 + 0.2 * Math.random())).unref()
  }

  /** Tells what changed, and looks again when the passing of time may change it. */
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
      void this.#call(master ? onPromoted : onDemoted)
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

  /** The result of a call, unless it takes so long that it counts as failed; what comes of it later is not heeded. */
  async #bounded<T>(call: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const limit = this.#times.lease / 3
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`the database did not answer within ${limit} ms`)), limit)
    })
    try {
      return await Promise.race([call, late])
    } finally {
      clearTimeout(timer)
    }
  }
}
