import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import type { ReplicaTimes } from '../../src/db/writes/lease.ts'
import type { Line } from './replica-process.ts'

const program = fileURLToPath(new URL('replica-process.ts', import.meta.url))

/** A hundredth of a server's times, with some room for a machine that has much to do. */
export const fastTimes: ReplicaTimes = { heartbeat: 150, validity: 1_600, lease: 2_000, keep: 60_000 }

/** An instance in a process of its own, and all its output. */
export interface ReplicaProcess {
  readonly name: string
  readonly lines: Line[]
  readonly kill: (signal: NodeJS.Signals) => void
  /** Resolves with the exit code, or with null after a signal that ended it. */
  readonly exited: Promise<number | null>
  readonly errors: Promise<string>
}

/** @param sweepEvery milliseconds between two runs of each of the server's sweeps; without them, it has no sweeps */
export function startReplicaProcess(
  name: string,
  url: string,
  address: string,
  times: ReplicaTimes,
  sweepEvery?: number,
): ReplicaProcess {
  const more = sweepEvery === undefined ? [] : [String(sweepEvery)]
  const child = spawn(process.execPath, ['--import', 'tsx', program, url, address, JSON.stringify(times), ...more])
  const lines: Line[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line) as Line))
  return {
    name,
    lines,
    kill: (signal) => void child.kill(signal),
    exited: once(child, 'close').then(([code]) => code as number | null),
    errors: text(child.stderr),
  }
}

export const count = ({ lines }: ReplicaProcess, event: Line['event']): number =>
  lines.filter((line) => line.event === event).length

export const lastTime = ({ lines }: ReplicaProcess, event: 'promoted' | 'demoted' | 'beat' | 'stopped'): number =>
  lines.reduce((last, line) => (line.event === event ? line.at : last), -Infinity)

/** Whether its last event about its role says that it is the master. */
export const isMaster = (one: ReplicaProcess): boolean => lastTime(one, 'promoted') > lastTime(one, 'demoted')

/** What is waited for (see `eventually`), with the processes' output if it does not come. */
export const told = (what: string, all: readonly ReplicaProcess[]) => (): string => {
  const outputs = all.map(({ name, lines }) => [name, ...lines.slice(-40).map((line) => JSON.stringify(line))])
  return [what, ...outputs.flat()].join('\n')
}

/** The times during which a process was the master. */
export function masterships({ name, lines }: ReplicaProcess): { name: string; from: number; to: number }[] {
  const runs = new Map<number, number>()
  for (const line of lines) if (line.event === 'wasMaster') runs.set(line.from, line.to)
  return [...runs].map(([from, to]) => ({ name, from, to }))
}

/** Every pair of processes that were both the master at some moment: it must be empty. */
export function overlaps(all: readonly ReplicaProcess[]): string[] {
  const runs = all.flatMap(masterships).sort((a, b) => a.from - b.from)
  return runs.flatMap((one, index) =>
    runs
      .slice(index + 1)
      .filter((other) => other.name !== one.name && other.from <= one.to)
      .map((other) => `${one.name} (${one.from} to ${one.to}) and ${other.name} (${other.from} to ${other.to})`),
  )
}
