import { isDeepStrictEqual } from 'node:util'

import { ask, Load, type LoadResult } from './load.ts'
import type { ServerProcess } from './processes.ts'
import type { Scenario } from './scenarios.ts'
import { median, spreadOf } from './statistics.ts'
import { peerNames, type TargetName } from './targets.ts'

/** The length of a measurement: each round measures every server once, for `seconds`. */
export interface Effort {
  readonly rounds: number
  readonly seconds: number
}

/** The results of one server in one scenario: medians of the rounds; latencies over all rounds. */
export interface Figure {
  readonly requestsPerSecond: number
  /** The server process's, in microseconds. */
  readonly cpuPerRequest: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly requests: number
  readonly failures: number
  /** A failed answer; null when there was none. */
  readonly example: string | null
  /** Orrery's requests per second divided by this server's: the median of the rounds. 1 for Orrery itself. */
  readonly ratio: number
  /** The same by processor time per request, which other work on the machine disturbs less. */
  readonly cpuRatio: number
}

/** How many times longer than a measurement the warm-up takes: only then is frequently run code compiled. */
const warmUp = 4

export type Servers = ReadonlyMap<TargetName, ServerProcess>
export type Figures = Partial<Record<TargetName, Figure>>

/** Measures a scenario on every server that supports it, one after the other in each round. */
export async function measure(scenario: Scenario, servers: Servers, { rounds, seconds }: Effort): Promise<Figures> {
  const loads = await prepare(scenario, servers)
  const samples = new Map<TargetName, Sample[]>()
  try {
    // So that compilers and caches are warm.
    for (const { load } of loads) await load.run(scenario.connections, warmUp * seconds)
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, server, load } of loads) {
        await load.open(scenario.connections)
        const before = await server.usage()
        const result = await load.run(scenario.connections, seconds)
        const { cpu } = await server.usage()
        samples.set(name, [...(samples.get(name) ?? []), { ...result, cpu: cpu - before.cpu }])
      }
    }
  } finally {
    for (const { load } of loads) load.close()
  }
  const own = samples.get('orrery') ?? []
  return Object.fromEntries([...samples].map(([name, list]) => [name, figureOf(list, own)]))
}

type Sample = LoadResult & { readonly cpu: number }

/** Checks that each server's answer is correct, and gives the bare server Orrery's answer. */
async function prepare({ name, traffic, isComparable }: Scenario, servers: Servers) {
  let expected: unknown = null
  const loads = []
  for (const [target, server] of servers) {
    const asked = traffic[target]
    const [request] = asked?.requests ?? []
    if (!asked || !request) continue
    const answer = await ask(server.port, request)
    const text = answer.body.toString('utf8')
    const isRight =
      answer.status === asked.expectedStatus && (asked.failureMark === null || !text.includes(asked.failureMark))
    if (!isRight && isPeer(target)) {
      console.log(`Left out: ${target} does not do "${name}": ${answer.status} ${text.slice(0, 300)}`)
      continue
    }
    if (!isRight && target !== 'bare') {
      throw new Error(`${target} does not do "${name}": ${answer.status} ${text.slice(0, 1000)}`)
    }
    if (target === 'orrery') {
      expected = isComparable ? comparable(text) : null
      const contentType = /\r\ncontent-type: *([^\r]*)/i.exec(answer.head)?.[1] ?? 'application/octet-stream'
      const body = answer.body.toString('base64')
      servers.get('bare')?.send({ answer: { path: `/${name}`, status: answer.status, contentType, body } })
    } else if (isComparable && target !== 'bare') {
      if (!isDeepStrictEqual(comparable(text), expected)) {
        throw new Error(`${target} answers "${name}" otherwise than Orrery:\n${text.slice(0, 1000)}`)
      }
    }
    loads.push({ name: target, server, load: new Load(server.port, asked) })
  }
  return loads
}

const isPeer = (name: TargetName): boolean => (peerNames as readonly string[]).includes(name)

/** A GraphQL answer's data without cursors, and with times as instants: each server writes these in its own way. */
const comparable = (text: string): unknown =>
  (
    JSON.parse(text, (key, value: unknown) => {
      if (key === 'endCursor') return null
      // PostGraphile writes a column without a zone unchanged; it holds UTC.
      const time = typeof value === 'string' ? /^(\d{4}-\d\d-\d\dT[\d:.]+)Z?$/.exec(value)?.[1] : undefined
      return time === undefined ? value : Date.parse(`${time}Z`)
    }) as { data: unknown }
  ).data

function figureOf(samples: readonly Sample[], own: readonly Sample[]): Figure {
  const speed = ({ requests, seconds }: Sample) => requests / seconds
  const cost = ({ requests, cpu }: Sample) => cpu / requests
  const against = (of: (sample: Sample) => number, compare: (mine: number, theirs: number) => number) =>
    median(samples.map((sample, round) => compare(of(own[round] ?? sample), of(sample))))
  const { p50, p99 } = spreadOf(samples.flatMap(({ latencies }) => latencies))
  return {
    requestsPerSecond: median(samples.map(speed)),
    cpuPerRequest: median(samples.map(cost)),
    p50,
    p99,
    requests: samples.reduce((sum, { requests }) => sum + requests, 0),
    failures: samples.reduce((sum, { failures }) => sum + failures, 0),
    example: samples.find(({ example }) => example !== null)?.example ?? null,
    ratio: against(speed, (mine, theirs) => mine / theirs),
    cpuRatio: against(cost, (mine, theirs) => theirs / mine),
  }
}
