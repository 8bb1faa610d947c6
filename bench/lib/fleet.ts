import type { FleetDataset } from './dataset.ts'
import type { Databases } from './databases.ts'
import { Load } from './load.ts'
import { pollQuery, reportQuery } from './queries.ts'
import { EventCounter } from './event-counter.ts'
import { spreadOf } from './statistics.ts'
import { aligned } from './table.ts'
import { startOrrery } from './targets.ts'
import { graphqlTraffic } from './traffic.ts'

/** What the server did while all nodes reported, with some streams open. */
export interface FleetFigures {
  readonly streams: number
  readonly reportsPerSecond: number
  /** Of one stream. */
  readonly eventsPerSecond: number
  /** The server's share of one core. */
  readonly cpu: number
  readonly pollsPerSecond: number
  /** Milliseconds, of polls. */
  readonly p50: number
  readonly p99: number
}

const query = `subscription { fleetChanged { __typename
  ... on FleetFiguresChanged { figures { clusterId nodes { all online offline failing } convergence { applied failed } } }
  ... on FleetProblem { problem figures { clusterId } } } }`
/** Seconds. */
const measured = 10
const reporters = 8

/** Reports of all nodes in turn and polls of one connection, with no stream of `fleetChanged` and with some. */
export async function measureFleet(
  data: FleetDataset,
  databases: Databases,
  streamCounts: readonly number[],
): Promise<FleetFigures[]> {
  const server = await startOrrery(data.url, await databases.folder())
  const polls = new Load(server.port, graphqlTraffic(pollQuery, data.nodes))
  const figures: FleetFigures[] = []
  try {
    for (const [at, streams] of streamCounts.entries()) {
      // Another version than in the run before, so that figures change.
      const callers = data.nodes.map(({ token }) => ({ token, variables: { version: 1 + (at % 3) } }))
      const reports = new Load(server.port, graphqlTraffic(reportQuery, callers))
      const events = new EventCounter(server.port, { token: data.operator, query })
      await events.open(streams)
      await polls.run(1, 1)
      const [before, told] = [await server.usage(), events.count]
      const [reported, polled] = await Promise.all([reports.run(reporters, measured), polls.run(1, measured)])
      const cpu = ((await server.usage()).cpu - before.cpu) / 1e6 / measured
      const { p50, p99 } = spreadOf(polled.latencies)
      figures.push({
        ...{ streams, cpu, p50, p99 },
        reportsPerSecond: reported.requests / reported.seconds,
        eventsPerSecond: streams === 0 ? 0 : (events.count - told) / streams / measured,
        pollsPerSecond: polled.requests / polled.seconds,
      })
      events.close()
      reports.close()
    }
    return figures
  } finally {
    polls.close()
    await server.stop()
  }
}

export const fleetTable = (figures: readonly FleetFigures[]): string =>
  aligned(
    [
      ['streams', 'events/s each', 'reports/s', 'CPU', 'polls/s', 'p50 ms', 'p99 ms'],
      ...figures.map((one) => [
        String(one.streams),
        one.eventsPerSecond.toFixed(0),
        one.reportsPerSecond.toFixed(0),
        one.cpu.toFixed(2),
        one.pollsPerSecond.toFixed(0),
        one.p50.toFixed(1),
        one.p99.toFixed(1),
      ]),
    ],
    1,
  )
