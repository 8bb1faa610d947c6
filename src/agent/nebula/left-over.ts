import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Logger } from '../../base/log.ts'

/** Milliseconds from SIGTERM to SIGKILL. */
const patience = 5000

/** The Nebula of one cluster on this machine. */
export interface OwnNebula {
  /** As it is started: a path, or a name to look up. */
  readonly program: string
  /** The configuration file that it is started with, in the cluster's folder. */
  readonly config: string
}

/**
 * Ends the Nebula that a killed agent left running: it holds the tunnel device, so no other can start. It is recognised
 * by what no other user can give a process: its executable, and all four of its user ids, which are this agent's; among
 * those, by the configuration file that it was started with. Only the agent that holds the cluster's folder calls this
 * (sole-agent.ts), so no other agent runs the process that is found.
 */
export async function endLeftOver(nebula: OwnNebula, log: Logger): Promise<void> {
  for (const pid of await processesOf(nebula)) {
    log.warn({ pid }, 'an agent before this one left its Nebula running; it is ended')
    send(pid, 'SIGTERM')
    const end = performance.now() + patience
    while ((await processesOf(nebula)).includes(pid)) {
      if (performance.now() > end) send(pid, 'SIGKILL')
      await sleep(50)
    }
  }
}

/** Empty where there is no /proc. */
async function processesOf({ program, config }: OwnNebula): Promise<number[]> {
  const names = await readdir('/proc').catch(() => [])
  const found: number[] = []
  for (const pid of names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number)) {
    const words = await argumentsOf(pid)
    if (words[words.indexOf('-config') + 1] !== config || words.includes('-test')) continue
    if ((await isOurs(pid)) && (await isNebula(pid, program))) found.push(pid)
  }
  return found
}

/**
 * Whether a process belongs to this process's user, by its real, effective, saved and file system user id (proc(5)). A
 * program that another user started with the rights of this user has another real id.
 */
async function isOurs(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const ids = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(status)?.slice(1)
  return ids?.every((id) => Number(id) === process.getuid?.()) === true
}

/**
 * Whether a process runs a Nebula, by the start of its file's name. Its folder and version may have changed with an
 * upgrade, and the program that the agent was told to start may be a script that starts Nebula.
 */
async function isNebula(pid: number, program: string): Promise<boolean> {
  const path = await readlink(`/proc/${pid}/exe`).catch(() => null)
  const [stem = ''] = /^[a-z]*/i.exec(basename(program)) ?? []
  return path !== null && [stem, 'nebula'].some((name) => name !== '' && basename(path).startsWith(name))
}

/** The arguments that a process was started with; empty when it has ended. */
async function argumentsOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return text.split('\0')
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It has ended in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
