import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import type { Logger } from '../base/log.ts'
import { printableLine } from '../base/printable.ts'
import { versionIn } from '../nebula/version.ts'
import { bounds } from './bounds.ts'
import { AgentError, VersionRefused } from './errors.ts'

const run = promisify(execFile)

/** Milliseconds. */
const times = {
  /** From the start to "Nebula interface is active", on a slow machine with thousands of hosts to look up. */
  start: 20_000,
  /** From SIGHUP to the line that says it was caught. */
  reload: 5000,
  /** After that line, in which errors belong to the reload. */
  settle: 250,
  /** From SIGTERM to SIGKILL. */
  stop: 5000,
}

/**
 * What this Nebula calls itself.
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
 * Lets Nebula check a configuration.
 * @throws VersionRefused with Nebula's words
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
  /** What it said last that was an error. */
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
   * @throws VersionRefused when it ends or does not come up
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
   * Lets it read its files again.
   * @throws VersionRefused when it complains; it then runs on what it had
   */
  async reload(): Promise<void> {
    const errors: string[] = []
    let caught = false
    const watch = ({ msg, level }: NebulaLine) => {
      if (caught && (level === 'error' || level === 'fatal')) errors.push(msg)
    }
    this.#listeners.add(watch)
    try {
      const hup = this.#line(({ msg }) => msg.startsWith('Caught HUP'), times.reload)
      this.#child.kill('SIGHUP')
      await hup
      caught = true
      await Promise.race([sleep(times.settle), this.ended.then((end) => errors.push(end))])
    } finally {
      this.#listeners.delete(watch)
    }
    if (errors.length > 0) throw new VersionRefused(`Nebula did not take the new files: ${errors.join('; ')}`)
  }

  /** Ends it, with patience first. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return
    this.#child.kill('SIGTERM')
    const force = setTimeout(() => this.#child.kill('SIGKILL'), times.stop)
    await this.ended
    clearTimeout(force)
  }

  #hear(text: string): void {
    const line = lineOf(text)
    if (line.level === 'error' || line.level === 'fatal') this.#complaint = line.complaint
    this.#log[line.level === 'fatal' ? 'error' : line.level](line.fields, `nebula: ${line.msg}`)
    for (const listener of this.#listeners) listener(line)
  }

  #line(wanted: (line: NebulaLine) => boolean, deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        this.#listeners.delete(listener)
      }
      const listener = (line: NebulaLine) => {
        if (!wanted(line)) return
        settle()
        resolve()
      }
      const timer = setTimeout(() => {
        settle()
        reject(new VersionRefused(`Nebula gave no sign of it for ${deadline / 1000} s`))
      }, deadline)
      this.#listeners.add(listener)
      // One that has ended says nothing any more; whoever waits for its end hears of it there.
      void this.ended.then(() => {
        settle()
        reject(new VersionRefused('Nebula ended'))
      })
    })
  }
}

interface NebulaLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  readonly msg: string
  readonly fields: Readonly<Record<string, unknown>>
  /** The message with the error that it carries. */
  readonly complaint: string
}

const levels: Readonly<Record<string, NebulaLine['level']>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  fatal: 'fatal',
  panic: 'fatal',
}

/** A line of Nebula's log, which is JSON from where it has read its configuration on. */
function lineOf(text: string): NebulaLine {
  try {
    const { level, msg, ...fields } = JSON.parse(text) as Record<string, unknown>
    delete fields['time']
    const error = fields['error']
    const said = printableLine(String(msg), bounds.report)
    const complaint = printableLine(typeof error === 'string' ? `${said}: ${error}` : said, bounds.report)
    return { level: levels[String(level)] ?? 'info', msg: said, fields, complaint }
  } catch {
    // Before that, and when it panics, it is text.
    const level = levels[/(?:^|\s)level=(\w+)/.exec(text)?.[1] ?? ''] ?? 'info'
    const said = printableLine(text, bounds.report)
    return { level, msg: said, fields: {}, complaint: said }
  }
}

/** The last thing that Nebula said, without what machines read. */
function lastWords(output: string): string {
  const last = output.split('\n').findLast((line) => line.trim() !== '') ?? ''
  const { complaint } = lineOf(last)
  return (
    /msg="((?:[^"\\]|\\.)*)"(?:.* error="((?:[^"\\]|\\.)*)")?/.exec(complaint)?.slice(1).filter(Boolean).join(': ') ??
    complaint
  ).slice(0, 500)
}
