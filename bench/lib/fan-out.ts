import { setTimeout as sleep } from 'node:timers/promises'

import { Agents } from './agents-process.ts'
import type { Opened } from './agents.ts'
import { seed, type Dataset } from './dataset.ts'
import type { Databases } from './databases.ts'
import { ask } from './load.ts'
import { Poller } from './poller.ts'
import type { ServerProcess, Usage } from './processes.ts'
import { pollQuery } from './queries.ts'
import { spreadOf } from './statistics.ts'
import { aligned } from './table.ts'
import { startOrrery } from './targets.ts'
import { graphqlBytes } from './traffic.ts'

/** The cost of one publication to this many live agents. */
export interface FanOut {
  readonly agents: number
  /** From the creation of the version's row, just before its commit, in milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly last: number
  /** Agents that never learned of the version. */
  readonly missed: number
  /** The server's, per agent and publication, in microseconds; without the cost of a publication to no agents. */
  readonly cpuEach: number
  /** Above that of the server without streams, per agent, in bytes. */
  readonly rssEach: number
  readonly heapEach: number
  /** Polls from before the publication until the last agent learns of it, in milliseconds. */
  readonly pollP99: number
  /** The same during a publication without agents: the delay from the compiler and the commit alone. */
  readonly pollAlone: number
  /** All agents connect at once to a server that has just started: until the last has the version, in milliseconds. */
  readonly storm: number
  readonly stormFailures: number
}

const atOnce = 64
const settling = 3000
/** The longest wait for a version, in milliseconds. */
const patience = 60_000

/** Publishes to each of these numbers of live agents, each with its own token, all in one cluster. */
export async function measureFanOut(databases: Databases, sizes: readonly number[]): Promise<FanOut[]> {
  const most = Math.max(...sizes)
  const data = await seed(await databases.create(), 2 * most)
  const results: FanOut[] = []
  for (const size of sizes) results.push(await measureOne(data, await databases.folder(), size))
  return results
}

/** The figures as a table. */
export function fanOutTable(results: readonly FanOut[]): string {
  const head = [
    'agents',
    'p50 ms',
    'p99 ms',
    'last ms',
    'missed',
    'CPU µs',
    'RSS KiB',
    'heap KiB',
    'poll p99',
    'alone',
    'storm s',
  ]
  const kib = (bytes: number) => (bytes / 1024).toFixed(1)
  const rows = results.map((one) => [
    String(one.agents),
    one.p50.toFixed(0),
    one.p99.toFixed(0),
    one.last.toFixed(0),
    String(one.missed),
    one.cpuEach.toFixed(0),
    kib(one.rssEach),
    kib(one.heapEach),
    one.pollP99.toFixed(1),
    one.pollAlone.toFixed(1),
    (one.storm / 1000).toFixed(2) + (one.stormFailures > 0 ? ` ✗ ${one.stormFailures}` : ''),
  ])
  return aligned([head, ...rows], 0)
}

async function measureOne(data: Dataset, folder: string, size: number): Promise<FanOut> {
  const tokens = data.fleet.allNodes.slice(0, size).map(({ token }) => token)
  const agents = new Agents()
  let server = await startOrrery(data.url, folder)
  try {
    await warm(server, tokens)
    // The first publication compiles the code.
    await publish(server, data, agents, 0)
    const alone = await publish(server, data, agents, 0)
    const idle = await settledUsage(server)
    await agents.ask<Opened>({ kind: 'open', port: server.port, tokens, atOnce })
    const open = await settledUsage(server)
    await publish(server, data, agents, size)
    const { cpu, ...figures } = await publish(server, data, agents, size)
    await agents.ask({ kind: 'close' })
    await server.stop()
    server = await startOrrery(data.url, folder)
    const storm = await agents.ask<Opened>({ kind: 'open', port: server.port, tokens, atOnce: size })
    const each = (of: keyof Usage) => (open[of] - idle[of]) / size
    return {
      agents: size,
      ...figures,
      pollAlone: alone.pollP99,
      cpuEach: (cpu - alone.cpu) / size,
      rssEach: each('rss'),
      heapEach: each('heapUsed'),
      storm: storm.milliseconds,
      stormFailures: storm.failures,
    }
  } finally {
    agents.end()
    await server.stop()
  }
}

/** Warms up code and caches, so that their memory does not count for the streams. */
async function warm(server: ServerProcess, tokens: readonly string[]): Promise<void> {
  const agents = new Agents()
  await agents.ask<Opened>({ kind: 'open', port: server.port, tokens: tokens.slice(0, 500), atOnce })
  agents.end()
  await sleep(500)
}

async function settledUsage(server: ServerProcess): Promise<Usage> {
  await sleep(settling)
  server.send('collect')
  await sleep(500)
  return server.usage()
}

async function publish(server: ServerProcess, data: Dataset, agents: Agents, size: number) {
  const than = (await newest(server, data)).version
  const [agent] = data.agents
  if (!agent) throw new Error('nobody is there who could poll')
  const poller = new Poller(server.port, graphqlBytes(pollQuery, agent))
  const polling = poller.run()
  await sleep(300)
  const before = await server.usage()
  const variables = { id: data.fleet.id }
  await ask(server.port, graphqlBytes(publishMutation, { token: data.admin, variables }))
  const begun = performance.now()
  while ((await newest(server, data)).version === than && performance.now() - begun < patience) await sleep(100)
  let told: number[] = []
  do {
    // Does not ask the agents while they are told: they share their core with this process.
    await sleep(1500)
    told = await agents.ask<number[]>({ kind: 'told', than })
  } while (told.length < size && performance.now() - begun < patience)
  const after = await server.usage()
  poller.stop()
  const { createdAt } = await newest(server, data)
  const delays = told.map((at) => at - createdAt)
  const { p50, p99, most: last } = spreadOf(delays)
  const until = createdAt + (delays.length === 0 ? 0 : last)
  const during = (await polling).filter(({ sent, took }) => sent + took >= createdAt && sent <= until)
  return {
    p50,
    p99,
    last,
    missed: size - told.length,
    cpu: after.cpu - before.cpu,
    pollP99: spreadOf(during.map(({ took }) => took)).p99,
  }
}

const publishMutation = `mutation ($id: UUID!) {
  publishClusterConfig(input: { clusterId: $id }) { ... on PublishClusterConfigPayload { cluster { configVersion } } }
}`

/** The newest version, and the time of its row: milliseconds since the epoch, on this machine's clock. */
async function newest(
  { port }: ServerProcess,
  { fleet, admin }: Dataset,
): Promise<{ version: number; createdAt: number }> {
  const query = 'query ($id: UUID!) { configBundle(clusterId: $id) { version createdAt } }'
  const { body } = await ask(port, graphqlBytes(query, { token: admin, variables: { id: fleet.id } }))
  const { data } = JSON.parse(body.toString('utf8')) as {
    data: { configBundle: { version: number; createdAt: string } }
  }
  return { version: data.configBundle.version, createdAt: Date.parse(data.configBundle.createdAt) }
}
