import type { Logger } from '../base/log.ts'
import { actionFor } from '../nebula/action.ts'
import type { ClusterFolder } from './enrolment-state.ts'
import { sayError } from './errors.ts'
import { configOf, currentConfig, makeCurrent, makeNoneCurrent, prune, type Generation } from './generation.ts'
import { NebulaProcess, testConfig } from './nebula-process.ts'

/** Milliseconds before a Nebula that ended by itself is started again: doubled each time, up to the last. */
const [firstPause, longestPause] = [1000, 30_000]
/** One that ran this long counts as a start that went well. */
const goodRun = 60_000

export interface SupervisorMeans {
  readonly folder: ClusterFolder
  /** The Nebula binary. */
  readonly program: string
  readonly nebulaVersion: string
  readonly log: Logger
}

/**
 * Keeps one Nebula running on one generation, and moves it to another: tested beside the running one, switched by a
 * rename, reloaded or restarted as the change needs, and taken back when it does not run.
 */
export class Supervisor {
  readonly #means: SupervisorMeans
  #running: Generation | null = null
  #process: NebulaProcess | null = null
  #restart: NodeJS.Timeout | null = null
  #pause = firstPause
  #stopped = false
  /** One thing at a time: a switch, a restart, the end. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(means: SupervisorMeans) {
    this.#means = means
  }

  /** What runs, or is to run again as soon as it can. */
  get running(): Generation | null {
    return this.#running
  }

  /** Starts what was there when the machine went down. That it does not start now is no reason to give it up. */
  resume(generation: Generation): Promise<void> {
    this.#running = generation
    return this.#inTurn(() => this.#startOrPlan())
  }

  /**
   * Moves to another generation, if it runs.
   * @throws VersionRefused when it does not; what ran before runs on
   */
  switchTo(next: Generation): Promise<void> {
    return this.#inTurn(async () => {
      const { folder, program, log } = this.#means
      await testConfig(program, configOf(folder, next))
      const before = this.#running
      await makeCurrent(folder, next)
      try {
        await this.#run(before, next)
      } catch (error) {
        log.error({ version: next.version, reason: sayError(error) }, 'the version does not run and is taken back')
        if (before === null) await makeNoneCurrent(folder)
        else await this.#back(before)
        throw error
      }
      this.#running = next
      await prune(folder, next)
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#restart !== null) clearTimeout(this.#restart)
    await this.#inTurn(async () => this.#process?.stop())
  }

  async #run(before: Generation | null, next: Generation): Promise<void> {
    const { nebulaVersion, log } = this.#means
    const action = before === null || this.#process === null ? 'restart' : actionFor(before, next, nebulaVersion)
    log.info({ version: next.version, action }, 'switching')
    // The certificate and the CA are files of the generation's own folder: they are read again in any case.
    if (action === 'restart') await this.#start()
    else await this.#process?.reload()
  }

  /** Back to what ran: its files first, then the process, which may have gone on with them or not. */
  async #back(before: Generation): Promise<void> {
    await makeCurrent(this.#means.folder, before)
    if (this.#process === null) await this.#startOrPlan()
    else
      await this.#process.reload().catch(async (error: unknown) => {
        this.#means.log.error({ reason: sayError(error) }, 'the version before is not taken back by a reload')
        await this.#startOrPlan()
      })
  }

  /** Stops what runs and starts what `current` points to. */
  async #start(): Promise<void> {
    const { folder, program, log } = this.#means
    const old = this.#process
    this.#process = null
    await old?.stop()
    if (this.#stopped) return
    const started = await NebulaProcess.start(program, currentConfig(folder), log)
    this.#process = started
    const since = performance.now()
    void started.ended.then((reason) => {
      if (this.#process !== started || this.#stopped) return
      this.#process = null
      if (performance.now() - since > goodRun) this.#pause = firstPause
      log.error({ reason }, 'Nebula ended by itself')
      this.#plan()
    })
  }

  async #startOrPlan(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      this.#means.log.error({ reason: sayError(error) }, 'Nebula does not start; it is tried again')
      this.#plan()
    }
  }

  #plan(): void {
    if (this.#stopped || this.#restart !== null) return
    this.#restart = setTimeout(() => {
      this.#restart = null
      void this.#inTurn(async () => {
        if (this.#process === null && this.#running !== null) await this.#startOrPlan()
      })
    }, this.#pause)
    this.#pause = Math.min(longestPause, this.#pause * 2)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work)
    // Whether the one before failed is a matter of who asked for it.
    this.#turn = mine.catch(() => undefined)
    return mine
  }
}
