import { setTimeout as sleep } from 'node:timers/promises'

import type { Logger } from '../base/log.ts'
import { printableLine } from '../base/texts/printable.ts'
import { readSlice } from '../nebula/bundle/slice-archive.ts'
import { SliceError, verifySlice, type VerifiedSlice } from '../nebula/bundle/slice.ts'
import { formatPublicKey, parseNodeKeyPair } from '../pki/keys.ts'
import { ControlPlaneApi } from './server/api.ts'
import { bounds } from './server/bounds.ts'
import { assertOurs, newestCertificate, renewalTime } from './certificates.ts'
import type { Enrollment } from './enrollment-state.ts'
import { AgentError, OtherNebulaNeeded, RefusedError, sayError, UnauthenticatedError } from './errors.ts'
import { UnavailableError, VersionRefused } from './errors.ts'
import { readFailed, sayFailed, writeFailed, type Failed } from './failed.ts'
import { writeWhole } from '../base/files.ts'
import {
  currentConfig,
  discard,
  mergedSettings,
  settingsOf,
  writeGeneration,
  type Generation,
} from './nebula/generation.ts'
import { endLeftOver } from './nebula/left-over.ts'
import { assertMachineIsFree } from './nebula/neighbours.ts'
import { sayRevoked, withRevocations } from './nebula/revocations.ts'
import { Refusal } from './refusal.ts'
import { becomeSoleAgent } from './sole-agent.ts'
import { startFromDisk } from './start-from-disk.ts'
import { Supervisor, type SupervisorDependencies } from './nebula/supervisor.ts'
import { around, BackOff, Bell } from './server/waiting.ts'

/** Milliseconds between two checks for news. */
export interface Pace {
  /** While the stream announces versions. */
  readonly besideStream: number
  /** Without a stream. */
  readonly poll: number
  /** Before the first version has arrived. */
  readonly firstVersion: number
  /** Between two reports without changes. */
  readonly report: number
}

const defaultPace: Pace = { besideStream: 300_000, poll: 30_000, firstVersion: 1000, report: 300_000 }

/** After a refused token, which may become valid again: a node that was deleted by mistake, say. */
const refusedPause = { first: 10_000, longest: 600_000 }
const failedPause = { first: 1000, longest: 60_000 }
/** A server without the stream is asked for it again after this time. */
const noStreamPause = 300_000

interface FollowerDependencies extends Omit<SupervisorDependencies, 'log'> {
  readonly enrollment: Enrollment
  readonly token: string
  readonly log: Logger
  readonly pace?: Partial<Pace>
}

/** Follows one cluster: learns of its versions, runs them, reports, and renews its certificate. */
export class Follower {
  readonly #dependencies: FollowerDependencies
  readonly #pace: Pace
  readonly #api: ControlPlaneApi
  readonly #supervisor: Supervisor
  readonly #bell = new Bell()
  readonly #end = new AbortController()
  readonly #refusal: Refusal
  #key = ''
  #streaming = false
  /** The newest version that does not run here, and why. */
  #failed: Failed = null
  /** What is wrong with the control plane's last answer, where there is no version to record it for. */
  #problem: string | null = null
  /** The last report to the control plane, and its time. */
  #reported = { text: '', at: Number.NEGATIVE_INFINITY }

  constructor(dependencies: FollowerDependencies) {
    this.#dependencies = dependencies
    this.#pace = { ...defaultPace, ...dependencies.pace }
    this.#api = new ControlPlaneApi(dependencies.enrollment.server, dependencies.token, this.#end.signal)
    this.#supervisor = new Supervisor(dependencies)
    this.#refusal = new Refusal(dependencies.folder)
  }

  /**
   * Follows until `stop`. What ran before is started first: that does not need the control plane.
   * @throws AgentError when another agent follows it, or the machine's key is missing
   */
  async run(): Promise<void> {
    const release = await becomeSoleAgent(this.#dependencies.folder)
    try {
      await this.#follow()
    } finally {
      await release()
    }
  }

  async #follow(): Promise<void> {
    const { folder, log } = this.#dependencies
    this.#key = (await folder.read('host.key')) ?? ''
    if (this.#key === '') throw new AgentError(`${folder.keyFile} is missing: enroll again.`)
    await endLeftOver({ program: this.#dependencies.program, config: currentConfig(folder) }, log)
    await startFromDisk(this.#supervisor, folder, log)
    // Where nothing ever ran, the machine may be the reason as well as the version: each start tries again.
    const started = this.#supervisor.running
    const failed = await readFailed(folder, this.#dependencies.nebulaVersion)
    if (started !== null && failed !== null && failed.version > started.version) this.#failed = failed
    const listening = this.#listen()
    const failures = new BackOff(failedPause)
    const refusals = new BackOff(refusedPause)
    while (!this.#end.signal.aborted) {
      try {
        await this.#look()
        await this.#refusal.isOver()
        failures.reset()
        refusals.reset()
        await this.#bell.wait(this.#pause(), bounds.betweenLooks)
      } catch (error) {
        const refused = error instanceof UnauthenticatedError
        const asked = error instanceof UnavailableError && error.retryAfter !== null ? error.retryAfter * 1000 : 0
        const pause = Math.max(asked, (refused ? refusals : failures).next())
        log.warn({ reason: sayError(error), seconds: Math.round(pause / 1000) }, 'no news; Nebula runs on')
        await this.#refusal.after(error)
        await this.#bell.wait(pause, bounds.betweenLooks)
      }
    }
    await listening
  }

  /** Checks for news now. */
  check(): void {
    this.#bell.ring()
  }

  async stop(): Promise<void> {
    this.#end.abort()
    this.#bell.ring()
    await this.#supervisor.stop()
  }

  #pause(): number {
    const { besideStream, poll, firstVersion } = this.#pace
    if (this.#supervisor.running === null && this.#failed === null) return around(firstVersion)
    return around(this.#streaming ? besideStream : poll)
  }

  /** One check: renews what is due, runs what is new, and reports the result. */
  async #look(): Promise<void> {
    await this.#renew()
    const known = [this.#supervisor.running?.version, this.#failed?.version].filter((one) => one !== undefined)
    const answer = await this.#api.bundle(known)
    this.#problem = null
    if (answer.kind === 'slice') await this.#take(answer.data)
    await this.#report()
  }

  async #take(data: Uint8Array): Promise<void> {
    const { folder, enrollment, nebulaVersion, log } = this.#dependencies
    const { bundleSigningKey: publicKey, clusterId, nodeId } = enrollment
    const before = this.#supervisor.running
    let slice: VerifiedSlice | null = null
    try {
      slice = verifySlice(await readSlice(data), { publicKey, clusterId, nodeId })
      const { version } = slice.manifest
      if (before !== null && version <= before.version) {
        throw new VersionRefused(`version ${version} is not newer than ${before.version}, which runs`)
      }
      const candidates = [slice.certificate, (await folder.read('host.crt')) ?? slice.certificate]
      const certificate = newestCertificate(candidates, slice.ca, this.#key)
      if (certificate === null)
        throw new VersionRefused('certs: none is for the key of this machine, by a CA of ca.crt')
      const config = settingsOf(slice, certificate, nebulaVersion)
      await assertMachineIsFree(folder, config)
      await this.#switch({ version, config, ca: slice.ca, certificate })
      if (this.#failed !== null) await this.#remember(null)
      log.info({ version }, 'runs')
    } catch (error) {
      if (!(error instanceof VersionRefused || error instanceof SliceError)) throw error
      // A version number that cannot be trusted is not recorded.
      const news = slice !== null && slice.manifest.version > (before?.version ?? 0) ? slice : null
      const reason = sayError(error) + (news && before ? await this.#revoke(before, news) : '')
      log.error({ version: slice?.manifest.version ?? null, reason }, 'not run; what ran before runs on')
      if (news === null) this.#problem = reason
      else
        await this.#remember({
          version: news.manifest.version,
          reason,
          ...(error instanceof OtherNebulaNeeded ? { nebulaVersion } : {}),
        })
    }
  }

  /** Applies the revocations of a version that does not run, where the fallback did not; returns how that went. */
  async #revoke(before: Generation, slice: VerifiedSlice): Promise<string> {
    try {
      const revoking = { config: mergedSettings(slice), ca: slice.ca }
      const draft = withRevocations(this.#supervisor.running ?? before, revoking)
      if (draft !== null) await this.#switch(draft)
      return sayRevoked(before, revoking, this.#supervisor.running ?? before)
    } catch (error) {
      if (!(error instanceof VersionRefused)) throw error
      return `; what it revokes is not in force either: ${sayError(error)}`
    }
  }

  async #switch(draft: Omit<Generation, 'name'>): Promise<void> {
    const generation = await writeGeneration(this.#dependencies.folder, draft)
    try {
      await this.#supervisor.switchTo(generation)
    } catch (error) {
      await discard(this.#dependencies.folder, generation)
      throw error
    }
  }

  /** Gets a new certificate for the same key, in time; the mesh does not notice. */
  async #renew(): Promise<void> {
    const { folder, enrollment, log } = this.#dependencies
    const running = this.#supervisor.running
    const certificate = running?.certificate ?? (await folder.read('host.crt'))
    if (certificate === null || renewalTime(certificate) > new Date()) return
    const { publicKey } = parseNodeKeyPair(this.#key)
    const renewed = await this.#api.renew(formatPublicKey(publicKey))
    assertOurs(renewed, { clusterId: enrollment.clusterId, nodeId: enrollment.nodeId, publicKey })
    await writeWhole(folder.file('host.crt'), renewed.certificate)
    if (running === null) return
    if (newestCertificate([renewed.certificate], running.ca, this.#key) === null) {
      // It was signed by a CA that the running version does not know: it takes effect with the next version.
      log.warn('the renewed certificate is for the next version')
      return
    }
    await this.#switch({ ...running, certificate: renewed.certificate })
    log.info('the certificate was renewed')
  }

  /** Reports what runs, when that has changed or the last report is long ago. */
  async #report(): Promise<void> {
    const { proven, trouble } = this.#supervisor
    const refused = this.#problem ?? (this.#failed === null ? null : sayFailed(this.#failed))
    const errors = [refused, trouble].filter((one) => one !== null)
    const status = {
      runningConfigVersion: proven?.version ?? null,
      nebulaVersion: this.#dependencies.nebulaVersion,
      lastError: errors.length === 0 ? null : errors.join('; '),
    }
    const text = JSON.stringify(status)
    const now = performance.now()
    if (text === this.#reported.text && now - this.#reported.at < this.#pace.report) return
    await this.#api.report({
      ...status,
      lastError: status.lastError === null ? null : printableLine(status.lastError, bounds.report),
    })
    this.#reported = { text, at: now }
  }

  /** Keeps the stream open, for as long as the follower runs. */
  async #listen(): Promise<void> {
    const { signal } = this.#end
    const backOff = new BackOff(failedPause)
    while (!signal.aborted) {
      const refused = await this.#hear(() => {
        backOff.reset()
      })
      // Without the stream, the next check follows the polling interval.
      if (this.#streaming) this.#bell.ring()
      this.#streaming = false
      await sleep(Math.max(refused ? noStreamPause : 0, backOff.next()), undefined, { signal }).catch(() => undefined)
    }
  }

  /** Reads versions until the stream ends; returns whether the server refused the stream. */
  async #hear(onEvent: () => void): Promise<boolean> {
    try {
      for await (const version of this.#api.published()) {
        this.#streaming = true
        onEvent()
        if (version !== this.#supervisor.running?.version) this.#bell.ring()
      }
      return false
    } catch (error) {
      this.#dependencies.log.debug({ reason: sayError(error) }, 'no stream')
      return error instanceof RefusedError
    }
  }

  async #remember(failed: Failed): Promise<void> {
    this.#failed = failed
    await writeFailed(this.#dependencies.folder, failed)
  }
}
