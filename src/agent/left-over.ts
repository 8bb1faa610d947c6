import { readdir, readFile, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Logger } from '../base/log.ts'

/** Milliseconds from SIGTERM to SIGKILL. */
const patience = 5000

/**
 * Ends the Nebula that an agent left running when it was killed: it holds the tunnel device, so that no other starts. It
 * is known by its owner, who is this agent's, and by the configuration file that it was started with, which is one
 * cluster's of one machine. Only the agent that holds the cluster's folder calls this (sole-agent.ts), so that no other
 * agent runs what is found.
 */
export async function endLeftOver(config: string, log: Logger): Promise<void> {
  for (const pid of await processesOn(config)) {
    log.warn({ pid }, 'an agent before this one left its Nebula running; it is ended')
    send(pid, 'SIGTERM')
    const end = performance.now() + patience
    while ((await processesOn(config)).includes(pid)) {
      if (performance.now() > end) send(pid, 'SIGKILL')
      await sleep(50)
    }
  }
}

/**
 * Our own processes that were started with `-config` and this file; none where there is no /proc. What other users start
 * is not looked at: anybody can give a process any words.
 */
async function processesOn(config: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => [])
  const found: number[] = []
  for (const pid of names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number)) {
    const words = await argumentsOf(pid)
    if (words[words.indexOf('-config') + 1] !== config || words.includes('-test')) continue
    if (await isOurs(pid)) found.push(pid)
  }
  return found
}

/** Whether a process belongs to the user that this one does: proc(5), the owner of its folder. */
async function isOurs(pid: number): Promise<boolean> {
  const owner = await stat(`/proc/${pid}`).catch(() => null)
  return owner !== null && owner.uid === process.getuid?.()
}

/** What a process was started with; nothing of one that has ended. */
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
