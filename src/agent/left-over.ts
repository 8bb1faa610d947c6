import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Logger } from '../base/log.ts'
import { AgentError } from './errors.ts'

/** Milliseconds from SIGTERM to SIGKILL. */
const patience = 5000

/**
 * Ends the Nebula that an agent left running when it was killed: it holds the tunnel device, so that no other starts. It
 * is known by the configuration file that it was started with, which is one cluster's of one machine.
 * @throws AgentError when it is not left over: another agent runs it
 */
export async function endLeftOver(config: string, log: Logger): Promise<void> {
  for (const pid of await processesOn(config)) {
    const parent = await parentOf(pid)
    const words = parent === null ? [] : await argumentsOf(parent)
    if (parent !== process.pid && words.includes('agent') && words.includes('run')) {
      throw new AgentError(`another agent (process ${parent}) runs Nebula on ${config}: stop that one first`)
    }
    log.warn({ pid }, 'an agent before this one left its Nebula running; it is ended')
    send(pid, 'SIGTERM')
    const end = performance.now() + patience
    while ((await processesOn(config)).includes(pid)) {
      if (performance.now() > end) send(pid, 'SIGKILL')
      await sleep(50)
    }
  }
}

/** The processes that were started with `-config` and this file; none where there is no /proc. */
async function processesOn(config: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => [])
  const found: number[] = []
  for (const pid of names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number)) {
    const words = await argumentsOf(pid)
    if (words[words.indexOf('-config') + 1] === config && !words.includes('-test')) found.push(pid)
  }
  return found
}

/** What a process was started with; nothing of one that has ended. */
async function argumentsOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return text.split('\0')
}

/** proc(5): the name in brackets may hold anything, the parent comes second behind it. */
async function parentOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  return Number.isInteger(parent) && parent > 0 ? parent : null
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It has ended in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
