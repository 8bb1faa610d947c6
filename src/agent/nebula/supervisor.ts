import type { Logger } from '../../base/log.ts'
import { Mutex } from '../../base/limits/mutex.ts'
import { actionFor, signsOf } from '../../nebula/action.ts'
import type { ClusterFolder } from '../enrollment-state.ts'
import { AgentError, ReloadNotShown, sayError } from '../errors.ts'
import { assertNotWider, configOf, currentConfig, dropLink, pointLink, prune, type Generation } from './generation.ts'
import { NebulaProcess, testConfig } from './nebula-process.ts'
import { wayBack } from './revocations.ts'

/** Milliseconds before a Nebula that ended by itself is started again: doubled each time, up to the last. */
const [firstPause, longestPause] = [1000, 30_000]
/** A run of this length counts as a successful start. */
const goodRun = 60_000

export interface SupervisorDependencies {
  readonly folder: ClusterFolder
  /** The Nebula binary. */
  readonly program: string
  readonly nebulaVersion: string
  readonly log: Logger
}

/**
 * Keeps one Nebula running on one generation, and moves it to another: tests the new one beside the running one,
 * switches by a rename, reloads or restarts as the change requires, and rolls back when the new one does not run.
 * Revocations are not rolled back.
 */
export class Supervisor {
  readonly #dependencies: SupervisorDependencies
  #running: Generation | null = null
  #proven: Generation | null = null
  #trouble: string | null = null
  #process: NebulaProcess | null = null
  #restart: NodeJS.Timeout | null = null
  #pause = firstPause
  #stopped = false
  /** A switch, a restart and the end run one at a time. */
  readonly #moving = new Mutex()

  constructor(dependencies: SupervisorDependencies) {
    this.#dependencies = dependencies
  }

  /** What runs, or will run again as soon as it can. */
  get running(): Generation | null {
    return this.#running
  }

  /** The generation that was last seen running since this agent started; null when none was. */
  get proven(): Generation | null {
    return this.#proven
  }

  /** Why `running` does not run now; null when it does. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** Starts a generation and keeps trying: a failed start is no reason to give it up. */
  resume(generation: Generation): Promise<void> {
    this.#running = generation
    return this.#moving.alone(async () => {
      await pointLink(this.#dependencies.folder, 'current', generation)
      await this.#startOrPlan()
    })
  }

  /**
   * Moves to another generation, if it runs.
   * @throws VersionRefused when it does not; the previous one runs on, with the revocations of `next` after a switch
   */
  switchTo(next: Generation): Promise<void> {
    return this.#moving.alone(() => this.#switch(next))
  }

  /**
   * Starts with a generation that may or may not run.
   * @param before was proven to run, and is started when `next` does not
   * @throws VersionRefused when `next` does not run
   */
  startWith(next: Generation, before: Generation): Promise<void> {
    this.#running = before
    return this.#moving.alone(async () => {
      try {
        await this.#switch(next)
      } catch (error) {
        if (this.#stopped) return
        // A generation that failed the test was never switched to, so `before` has not been started yet.
        if (this.#process === null && this.#restart === null) await this.#back(before, next)
        throw error
      }
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#restart !== null) clearTimeout(this.#restart)
    await this.#moving.alone(async () => this.#process?.stop())
  }

  async #switch(next: Generation): Promise<void> {
    const { folder, program, nebulaVersion, log } = this.#dependencies
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
    // It runs, even if old generations cannot be removed.
    await prune(folder).catch((error: unknown) => {
      log.warn({ reason: sayError(error) }, 'old versions are not removed')
    })
  }

  /** Reloads where that is enough and shows its effect; restarts Nebula in every other case. */
  async #move(before: Generation | null, next: Generation): Promise<void> {
    const { folder, nebulaVersion, log } = this.#dependencies
    const reloaded = before === null ? null : this.#process
    const action = before === null || reloaded === null ? 'restart' : actionFor(before, next, nebulaVersion)
    log.info({ version: next.version, action }, 'switching')
    await pointLink(folder, 'current', next)
    if (before === null || reloaded === null || action === 'restart') return this.#start()
    try {
      // The certificate and the CA are files of the generation's own folder, so they are read again in any case.
      await reloaded.reload(signsOf(before, next, nebulaVersion))
    } catch (error) {
      if (!(error instanceof ReloadNotShown)) throw error
      // Forward, not back: the new version may hold a revocation, and the old one may not be in force any more.
      log.warn({ version: next.version, reason: sayError(error) }, 'not shown to be in force; Nebula is started anew')
      await this.#start()
    }
  }

  /** Records on the disk that a generation runs. From here on it is the fallback; until here, the previous one was. */
  async #prove(generation: Generation): Promise<void> {
    await pointLink(this.#dependencies.folder, 'proven', generation)
    this.#proven = generation
    this.#trouble = null
  }

  /**
   * Rolls back, with the revocations of `next`: files first, then a new process, since the old one's state is unknown.
   */
  async #back(before: Generation, next: Generation): Promise<void> {
    const { folder, log } = this.#dependencies
    const way = await wayBack(folder, before, next, log)
    this.#running = way
    await pointLink(folder, 'current', way)
    await this.#startOrPlan()
  }

  async #backToNothing(): Promise<void> {
    await dropLink(this.#dependencies.folder, 'current')
    const started = this.#process
    this.#process = null
    await started?.stop()
  }

  /** Stops what runs and starts what `current` points to. */
  async #start(): Promise<void> {
    const { folder, program, log } = this.#dependencies
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
      // Its Nebula may have been replaced by an older one since the generation was accepted.
      if (this.#running !== null) assertNotWider(this.#running.config, this.#dependencies.nebulaVersion)
      await this.#start()
      if (this.#running !== null) await this.#prove(this.#running)
    } catch (error) {
      if (this.#stopped) return
      const reason = sayError(error)
      this.#dependencies.log.error({ reason }, 'Nebula does not start; it is tried again')
      this.#trouble = `version ${this.#running?.version ?? 0}: ${reason}; it is tried again`
      this.#plan()
    }
  }

  #plan(): void {
    if (this.#stopped || this.#restart !== null) return
    this.#restart = setTimeout(() => {
      this.#restart = null
      void this.#moving.alone(async () => {
        if (this.#process === null && this.#running !== null) await this.#startOrPlan()
      })
    }, this.#pause)
    this.#pause = Math.min(longestPause, this.#pause * 2)
  }
}
