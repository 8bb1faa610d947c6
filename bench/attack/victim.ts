import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import { spreadOf } from '../lib/statistics.ts'
import { uploadOf } from './attacks.ts'

interface Business {
  readonly address: string
  readonly clusterId: string
  readonly admin: string
  /** An operator's token, to see which instance is master. */
  readonly operator: string
  /** The memory that the server uses now, in MiB. */
  readonly memory: () => number
}

/** What the other tenant noticed: durations in milliseconds. */
interface Seen {
  readonly viewer: number[]
  readonly uploads: number[]
  readonly writes: number[]
  readonly failures: string[]
  readonly masters: Set<string>
  memory: number
}

/** The work of a tenant that has nothing to do with the attack, for some seconds. */
export async function goAboutBusiness(business: Business, seconds: number): Promise<Seen> {
  const seen: Seen = { viewer: [], uploads: [], writes: [], failures: [], masters: new Set(), memory: 0 }
  const end = performance.now() + seconds * 1000
  const archive = new Uint8Array(
    await packBundle([{ path: 'config.yml', content: Buffer.from('listen:\n  port: 4242\n') }]),
  )
  const every = async (pause: number, work: () => Promise<void>) => {
    while (performance.now() < end) {
      await work()
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
  const { clusterId, admin, operator } = business
  const timed = async (into: number[], token: string, body: string | FormData, expected: string) => {
    const start = performance.now()
    const text = await post(business.address, token, body)
    into.push(performance.now() - start)
    if (!text.includes(expected)) seen.failures.push(text.slice(0, 200))
  }
  const write = 'mutation ($id: UUID!) { publishClusterConfig(input: { clusterId: $id }) { __typename } }'
  const replicas = '{ replicas { id role } }'
  await Promise.all([
    every(20, () => timed(seen.viewer, admin, json('{ viewer { __typename } }'), 'viewer')),
    every(2000, () => timed(seen.uploads, admin, uploadOf(clusterId, archive), 'Payload')),
    every(1000, () => timed(seen.writes, admin, json(write, { id: clusterId }), 'Payload')),
    every(500, async () => {
      seen.memory = Math.max(seen.memory, business.memory())
      const text = await post(business.address, operator, json(replicas))
      for (const [, id = ''] of text.matchAll(/"id":"([^"]+)",\s*"role":"MASTER"/g)) seen.masters.add(id)
      if (!text.includes('"MASTER"')) seen.masters.add('nobody')
    }),
  ])
  return seen
}

const json = (query: string, variables: object = {}) => JSON.stringify({ query, variables })

async function post(address: string, token: string, body: string | FormData): Promise<string> {
  const headers = {
    authorization: `Bearer ${token}`,
    'x-orrery-csrf': '1',
    ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
  }
  try {
    const signal = AbortSignal.timeout(60_000)
    return await (await fetch(`${address}/graphql`, { method: 'POST', headers, body, signal })).text()
  } catch (error) {
    return error instanceof Error ? error.name : 'failed'
  }
}

/** The figures as a table. */
export function report({ viewer, uploads, writes, failures, masters, memory }: Seen): string {
  const line = (name: string, durations: number[]) => {
    const { p50, p99, most } = spreadOf(durations)
    return `${name.padEnd(16)} ${String(durations.length).padStart(5)} times, p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, at most ${most.toFixed(0)} ms`
  }
  return [
    line('viewer', viewer),
    line('small upload', uploads),
    line('write', writes),
    `failed           ${failures.length}${failures.length > 0 ? `: ${[...new Set(failures)].slice(0, 5).join(' | ')}` : ''}`,
    `masters seen     ${[...masters].join(', ')}`,
    `memory           ${memory.toFixed(0)} MiB at most`,
  ].join('\n')
}
