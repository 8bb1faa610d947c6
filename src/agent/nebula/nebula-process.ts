import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

import { within } from '../../base/deadline.ts'
import type { Logger } from '../../base/log.ts'
import { reloadBegins, reloadEnds, type Sign } from '../../nebula/reload-signs.ts'
import { versionIn } from '../../nebula/version.ts'
import { AgentError, ReloadNotShown, VersionRefused } from '../errors.ts'
import { isComplaint, lastWords, lineOf, type NebulaLine } from '../nebula-log.ts'

const run = promisify(execFile)

/** Milliseconds. */
const times = {
  /** From the start to "Nebula interface is active", on a slow machine with thousands of hosts to look up. */
  start: 20_000,
  /** From SIGHUP to the line that ends a reload. */
  reload: 5000,
  /** From SIGTERM to SIGKILL. */
  stop: 5000,
}

/**
 * The version that this Nebula reports.
 * @throws AgentError when the program is not there
 */
export async function nebulaVersion(program: string): Promise<string> {
  try {
    const { stdout, stderr } = await run(program, ['-version'])
    const version = versionIn(stdout + stderr)
    if (version !== null) return version
  } catch (error) {
    throw new AgentError(`${program} cannot be run: install Nebula, or say where it is with --nebula.`, {
      cause: error,
    })
  }
  throw new AgentError(`${program} does not say a version of Nebula: is it Nebula?`)
}

/**
 * Has Nebula check a configuration.
 * @throws VersionRefused with Nebula's message
 */
export async function testConfig(program: string, config: string): Promise<void> {
  try {
    await run(program, ['-test', '-config', config], { timeout: times.start })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new VersionRefused(`nebula -test: ${lastWords(`${stdout}\n${stderr}`) || String(error)}`)
  }
}

/** One run of Nebula, from its start to its end. */
export class NebulaProcess {
  readonly #child: ChildProcess
  readonly #log: Logger
  readonly #listeners = new Set<(line: NebulaLine) => void>()
  /** Its last error message. */
  #complaint = ''
  readonly ended: Promise<string>

  private constructor(child: ChildProcess, log: Logger) {
    this.#child = child
    this.#log = log
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (text) => this.#hear(text))
    }
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        resolve(error.message)
      })
      child.once('close', (code, signal) => {
        resolve(this.#complaint || `ended with ${signal ?? `code ${code}`}`)
      })
    })
  }

  /**
   * Starts Nebula and waits until its tunnel is up.
   * @throws VersionRefused when it ends or its tunnel does not come up
   */
  static async start(program: string, config: string, log: Logger): Promise<NebulaProcess> {
    const child = spawn(program, ['-config', config], { stdio: ['ignore', 'pipe', 'pipe'] })
    const nebula = new NebulaProcess(child, log)
    const ready = nebula.#line(({ msg }) => msg === 'Nebula interface is active', times.start)
    try {
      const end = await Promise.race([ready.then(() => null), nebula.ended])
      if (end === null) return nebula
      throw new VersionRefused(`Nebula did not start: ${end}`)
    } catch (error) {
      await nebula.stop()
      throw error
    }
  }

  /**
   * Makes Nebula reload its files, and waits until it has shown that it read them to the end.
   * @param signs the log lines that show that the changed settings were read
   * @throws ReloadNotShown when a line is missing, or Nebula complains: what it runs on is unknown then
   */
  async reload(signs: readonly Sign[]): Promise<void> {
    const missing = new Set(signs)
    const errors: string[] = []
    let caught = false
    const ended = this.#line((line) => {
      // Lines from before the reload belong to something else.
      if (!caught) caught = reloadBegins.test(line.msg)
      else if (isComplaint(line)) errors.push(line.complaint)
      for (const sign of missing) if (caught && sign.line.test(line.msg)) missing.delete(sign)
      return caught && reloadEnds.test(line.msg)
    }, times.reload)
    this.#child.kill('SIGHUP')
    await ended.catch((error: unknown) => {
      throw new ReloadNotShown('Nebula does not show that it read its files to the end', { cause: error })
    })
    if (errors.length > 0) throw new ReloadNotShown(`Nebula complains of the new files: ${errors.join('; ')}`)
    const unread = [...missing].map(({ of }) => of)
    if (unread.length > 0) throw new ReloadNotShown(`Nebula does not show that it read ${unread.join(', ')}`)
  }

  /** Ends it: SIGTERM first, SIGKILL if that is not enough. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return
    this.#child.kill('SIGTERM')
    const force = setTimeout(() => this.#child.kill('SIGKILL'), times.stop)
    await this.ended
    clearTimeout(force)
  }

  #hear(text: string): void {
    const line = lineOf(text)
    if (isComplaint(line)) this.#complaint = line.complaint
    this.#log[line.level === 'fatal' ? 'error' : line.level](line.fields, `nebula: ${line.msg}`)
    for (const listener of this.#listeners) listener(line)
  }

  /**
   * Waits for a line of the log.
   * @param deadline milliseconds
   * @throws VersionRefused when it does not come in time, or Nebula ends
   */
  async #line(wanted: (line: NebulaLine) => boolean, deadline: number): Promise<void> {
    let listener: (line: NebulaLine) => void = () => undefined
    const heard = new Promise<void>((resolve) => {
      listener = (line) => {
        if (!wanted(line)) return
        // At once: the next line may be in the same piece of output.
        this.#listeners.delete(listener)
        resolve()
      }
    })
    // A process that has ended logs nothing more, so the wait ends with it.
    const ended = this.ended.then(() => {
      throw new VersionRefused('Nebula ended')
    })
    this.#listeners.add(listener)
    try {
      const silence = `Nebula gave no sign of it for ${deadline / 1000} s`
      await within(deadline, Promise.race([heard, ended]), silence, VersionRefused)
    } finally {
      this.#listeners.delete(listener)
    }
  }
}
