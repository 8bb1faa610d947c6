import { setTimeout as sleep } from 'node:timers/promises'

import type { Databases } from './databases.ts'
import type { Dataset } from './dataset.ts'
import { Load, type LoadResult } from './load.ts'
import { pollQuery, reportQuery } from './queries.ts'
import { spreadOf } from './statistics.ts'
import { aligned } from './table.ts'
import { startOrrery } from './targets.ts'
import { graphqlTraffic } from './traffic.ts'
import { watchWrites } from './written.ts'

interface Stretch {
  readonly requests: number
  readonly failures: number
  readonly example: string | null
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

export interface ReportsFigures {
  readonly pollsAlone: Stretch
  readonly polls: Stretch
  readonly reports: Stretch
  /** From the first report to the last, in seconds. */
  readonly seconds: number
  /** Write transactions in that time and until everything was written. */
  readonly transactions: number
  readonly transactionsPerSecond: number
  /** How many of the nodes that reported. */
  readonly written: number
}

/** Every seeded cluster has this version, and no seeded node runs it. */
const reportedVersion = 2
const pollers = 16
const reporters = 16
const alone = 3
/** Longer than the server waits before it writes, in seconds. */
const settling = 2.5

/** Polls while each of the dataset's reporters reports once, as fast as the server answers. */
export async function measureReports(data: Dataset, databases: Databases): Promise<ReportsFigures> {
  const server = await startOrrery(data.url, await databases.folder())
  const polls = new Load(server.port, graphqlTraffic(pollQuery, data.agents))
  const callers = data.reporters.map(({ token }) => ({ token, variables: { version: reportedVersion } }))
  const reports = new Load(server.port, graphqlTraffic(reportQuery, callers))
  try {
    await polls.run(pollers, 1)
    const pollsAlone = await polls.run(pollers, alone)
    const watched = await watchWrites(data.url, reportedVersion)
    const reporting = reports.run(reporters, 600, data.reporters.length)
    const polling: LoadResult[] = []
    let reported: LoadResult | null = null
    while (reported === null) {
      polling.push(await polls.run(pollers, 0.25))
      reported = await Promise.race([reporting, Promise.resolve(null)])
    }
    await sleep(settling * 1000)
    const { nodes, transactions } = await watched()
    return {
      pollsAlone: stretch([pollsAlone]),
      polls: stretch(polling),
      reports: stretch([reported]),
      seconds: reported.seconds,
      transactions,
      transactionsPerSecond: transactions / (reported.seconds + settling),
      written: nodes,
    }
  } finally {
    polls.close()
    reports.close()
    await server.stop()
  }
}

export function reportsTable({ pollsAlone, polls, reports, ...written }: ReportsFigures): string {
  const row = (name: string, { requests, failures, requestsPerSecond, p50, p99 }: Stretch) => [
    name,
    String(requests),
    String(failures),
    requestsPerSecond.toFixed(0),
    p50.toFixed(1),
    p99.toFixed(1),
  ]
  const table = aligned(
    [
      ['what', 'requests', 'failed', 'req/s', 'p50 ms', 'p99 ms'],
      row('polls alone', pollsAlone),
      row('polls beside reports', polls),
      row('reports', reports),
    ],
    1,
  )
  const { seconds, transactions, transactionsPerSecond, written: nodes } = written
  return `${table}\n${nodes} nodes written in ${transactions} transactions, ${transactionsPerSecond.toFixed(2)} a second; reports took ${seconds.toFixed(1)} s`
}

function stretch(results: readonly LoadResult[]): Stretch {
  const sum = (of: (result: LoadResult) => number) => results.reduce((total, result) => total + of(result), 0)
  const { p50, p99 } = spreadOf(results.flatMap(({ latencies }) => latencies))
  return {
    requests: sum(({ requests }) => requests),
    failures: sum(({ failures }) => failures),
    example: results.find(({ example }) => example !== null)?.example ?? null,
    requestsPerSecond: sum(({ requests }) => requests) / sum(({ seconds }) => seconds),
    p50,
    p99,
  }
}
