import type { Logger } from '../../base/log.ts'
import { actionFor, signsOf } from '../../nebula/action.ts'
import type { ClusterFolder } from '../enrolment-state.ts'
import { AgentError, ReloadNotShown, sayError } from '../errors.ts'
import { assertNotWider, configOf, currentConfig, dropLink, pointLink, prune, type Generation } from './generation.ts'
import { NebulaProcess, testConfig } from './nebula-process.ts'
import { wayBack } from './revocations.ts'

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
 * rename, reloaded or restarted as the change needs, and taken back when it does not run. What a version revokes is not
 * taken back with it.
 */
export class Supervisor {
  readonly #means: SupervisorMeans
  #running: Generation | null = null
  #proven: Generation | null = null
  #trouble: string | null = null
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

  /** What was seen running since this agent started, last; null when nothing was. */
  get proven(): Generation | null {
    return this.#proven
  }

  /** Why `running` does not run now; null when it does. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** Starts what is to run, come what may: that it does not start now is no reason to give it up. */
  resume(generation: Generation): Promise<void> {
    this.#running = generation
    return this.#inTurn(async () => {
      await pointLink(this.#means.folder, 'current', generation)
      await this.#startOrPlan()
    })
  }

  /**
   * Moves to another generation, if it runs.
   * @throws VersionRefused when it does not; what ran before runs on, with what that one revokes where it was begun with
   */
  switchTo(next: Generation): Promise<void> {
    return this.#inTurn(() => this.#switch(next))
  }

  /**
   * Starts with a generation of which it is not known whether it runs.
   * @param before what was proven to run, and is started when that one does not
   * @throws VersionRefused when `next` does not run
   */
  startWith(next: Generation, before: Generation): Promise<void> {
    this.#running = before
    return this.#inTurn(async () => {
      try {
        await this.#switch(next)
      } catch (error) {
        if (this.#stopped) return
        // One that failed the test was not switched to, nor back from.
        if (this.#process === null && this.#restart === null) await this.#back(before, next)
        throw error
      }
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#restart !== null) clearTimeout(this.#restart)
    await this.#inTurn(async () => this.#process?.stop())
  }

  async #switch(next: Generation): Promise<void> {
    const { folder, program, nebulaVersion, log } = this.#means
    assertNotWider(next.config, nebulaVersion)
    await testConfig(program, configOf(folder, next))
    const before = this.#running
    try {
      await this.#move(before, next)
      await this.#prove(next)
    } catch (error) {
      log.error({ version: next.version, reason: sayError(error) }, 'the version does not run and is taken back')
      if (before === null) await this.#backToNothing()
      else await this.#back(before, next)
      throw error
    }
    this.#running = next
    // It runs, whether there is room for it or not.
    await prune(folder).catch((error: unknown) => {
      log.warn({ reason: sayError(error) }, 'old versions are not removed')
    })
  }

  /** Reloads where that is enough and shows its effect; in every other case Nebula is started anew. */
  async #move(before: Generation | null, next: Generation): Promise<void> {
    const { folder, nebulaVersion, log } = this.#means
    const reloaded = before === null ? null : this.#process
    const action = before === null || reloaded === null ? 'restart' : actionFor(before, next, nebulaVersion)
    log.info({ version: next.version, action }, 'switching')
    await pointLink(folder, 'current', next)
    if (before === null || reloaded === null || action === 'restart') return this.#start()
    try {
      // The certificate and the CA are files of the generation's own folder: they are read again in any case.
      await reloaded.reload(signsOf(before, next, nebulaVersion))
    } catch (error) {
      if (!(error instanceof ReloadNotShown)) throw error
      // Forward: the new version may hold a revocation, and the old one is not known to be in force any more.
      log.warn({ version: next.version, reason: sayError(error) }, 'not shown to be in force; Nebula is started anew')
      await this.#start()
    }
  }

  /** Keeps on the disk that a generation runs. From here on it is the way back; until here, the one before was. */
  async #prove(generation: Generation): Promise<void> {
    await pointLink(this.#means.folder, 'proven', generation)
    this.#proven = generation
    this.#trouble = null
  }

  /** Back to what ran, with what `next` revokes: its files first, then a new process, since nobody knows what the old one has. */
  async #back(before: Generation, next: Generation): Promise<void> {
    const { folder, log } = this.#means
    const way = await wayBack(folder, before, next, log)
    this.#running = way
    await pointLink(folder, 'current', way)
    await this.#startOrPlan()
  }

  async #backToNothing(): Promise<void> {
    await dropLink(this.#means.folder, 'current')
    const started = this.#process
    this.#process = null
    await started?.stop()
  }

  /** Stops what runs and starts what `current` points to. */
  async #start(): Promise<void> {
    const { folder, program, log } = this.#means
    const old = this.#process
    this.#process = null
    await old?.stop()
    if (this.#stopped) throw new AgentError('the agent ends')
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
      // Its Nebula may have been replaced by an older one since it was taken.
      if (this.#running !== null) assertNotWider(this.#running.config, this.#means.nebulaVersion)
      await this.#start()
      if (this.#running !== null) await this.#prove(this.#running)
    } catch (error) {
      if (this.#stopped) return
      const reason = sayError(error)
      this.#means.log.error({ reason }, 'Nebula does not start; it is tried again')
      this.#trouble = `version ${this.#running?.version ?? 0}: ${reason}; it is tried again`
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
