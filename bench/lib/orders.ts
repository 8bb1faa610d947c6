import type { Dataset } from './dataset.ts'
import type { Databases } from './databases.ts'
import { Load, type LoadResult } from './load.ts'
import { orderedQuery } from './queries.ts'
import { median, spreadOf } from './statistics.ts'
import { aligned } from './table.ts'
import { startOrrery } from './targets.ts'
import { graphqlTraffic } from './traffic.ts'

/** A page of the nodes of all clusters in one order. */
export interface OrderFigures {
  readonly title: string
  /** Milliseconds, with one request at a time. */
  readonly p50: number
  readonly p99: number
  /** How many times as long as the page by name: the median of the rounds. */
  readonly ratio: number
  readonly failures: number
}

/** One node in twenty has it. */
const filter = { groups: { anyOf: ['edge'] } }
const pages = [
  { title: 'by name', variables: { orderBy: { field: 'NAME', direction: 'ASC' } } },
  { title: 'by name, of a group', variables: { orderBy: { field: 'NAME', direction: 'ASC' }, filter } },
  { title: 'last seen first, of a group', variables: { orderBy: { field: 'LAST_SEEN', direction: 'DESC' }, filter } },
  {
    title: 'longest unseen first, of a group',
    variables: { orderBy: { field: 'LAST_SEEN', direction: 'ASC' }, filter },
  },
]
const rounds = 7
/** Seconds of each page in each round. */
const measured = 0.5

/** Pages of 50 nodes in turn, so that each round compares what was measured in the same seconds. */
export async function measureOrders({ url, operator }: Dataset, databases: Databases): Promise<OrderFigures[]> {
  const server = await startOrrery(url, await databases.folder())
  const loads = pages.map(({ variables }) => {
    const callers = [{ token: operator, variables: { first: 50, ...variables } }]
    return new Load(server.port, graphqlTraffic(orderedQuery, callers))
  })
  const samples: LoadResult[][] = pages.map(() => [])
  try {
    for (const load of loads) await load.run(1, 2 * measured)
    for (let round = 0; round < rounds; round += 1) {
      for (const [at, load] of loads.entries()) samples[at]?.push(await load.run(1, measured))
    }
  } finally {
    for (const load of loads) load.close()
    await server.stop()
  }
  const usual = ({ latencies }: LoadResult) => spreadOf(latencies).p50
  return pages.map(({ title }, at) => {
    const own = samples[at] ?? []
    const { p50, p99 } = spreadOf(own.flatMap(({ latencies }) => latencies))
    const ratios = own.map((one, round) => usual(one) / usual(samples[0]?.[round] ?? one))
    const failures = own.reduce((sum, one) => sum + one.failures, 0)
    return { title, p50, p99, ratio: median(ratios), failures }
  })
}

export const ordersTable = (figures: readonly OrderFigures[]): string =>
  aligned(
    [
      ['page of 50 nodes', 'p50 ms', 'p99 ms', '× by name', 'failed'],
      ...figures.map(({ title, p50, p99, ratio, failures }) => [
        title,
        p50.toFixed(2),
        p99.toFixed(1),
        ratio.toFixed(2),
        String(failures),
      ]),
    ],
    1,
  )
