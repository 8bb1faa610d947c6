import { randomUUID } from 'node:crypto'

import { openConnection } from '../../src/db/client/connection.ts'
import { migrateUp } from '../../src/db/migrations/index.ts'
import { unrecorded } from '../../src/graphql/changes/recorded.ts'
import { startApp, type TestApp } from '../../test/support/app.ts'
import { createNode, createWorld, type World } from '../../test/support/world.ts'
import type { Databases } from './databases.ts'
import { median } from './statistics.ts'
import { aligned } from './table.ts'

/** Changes with and without their events in the audit trail; milliseconds. */
export interface AuditFigures {
  readonly change: string
  readonly events: 'without' | 'with'
  readonly changes: number
  readonly median: number
  readonly cpu: number
}

const rounds = 20
const perRound = 25
const names = ['createNode', 'updateNodeRoutes'] as const

/** The set is the switch; it is read-only for everything else. */
const switches = unrecorded as Set<string>

const routes = (app: TestApp, world: World, index: number) =>
  app.ask(
    world.admin,
    'mutation ($id: UUID!, $route: CIDR!) { updateNodeRoutes(input: { nodeId: $id, routes: [$route] }) { __typename } }',
    { id: world.nodeId, route: `172.16.${index % 250}.0/24` },
  )

interface Sample {
  readonly latencies: number[]
  cpu: number
}

async function measure(sample: Sample, change: () => Promise<unknown>): Promise<void> {
  for (let index = 0; index < perRound; index += 1) {
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    await change()
    sample.latencies.push(performance.now() - start)
    const { user, system } = process.cpuUsage(cpu)
    sample.cpu += (user + system) / 1000
  }
}

/** What the audit trail costs a change: the same changes with and without their events, in turn, in this process. */
export async function measureAudit(databases: Databases): Promise<AuditFigures[]> {
  // The template that tests copy: a migrated database.
  const url = await databases.create()
  const connection = await openConnection(url)
  await migrateUp(connection)
  await connection.close()
  process.env['TEST_SQLITE_TEMPLATE'] = url.replace(/^file:/, '')
  const app = await startApp('sqlite')
  try {
    const world = await createWorld(app, 'bench', randomUUID())
    let count = 0
    const changes = {
      createNode: () => createNode(app, world.admin, { clusterId: world.clusterId, name: `n${(count += 1)}` }),
      updateNodeRoutes: () => routes(app, world, (count += 1)),
    }
    const fresh = (): Sample => ({ latencies: [], cpu: 0 })
    const figures: AuditFigures[] = []
    for (const name of names) {
      const samples = { without: fresh(), with: fresh() }
      for (let round = -2; round < rounds; round += 1) {
        for (const kind of ['without', 'with'] as const) {
          if (kind === 'without') switches.add(name)
          else switches.delete(name)
          await measure(round < 0 ? fresh() : samples[kind], changes[name])
        }
      }
      for (const events of ['without', 'with'] as const) {
        const { latencies, cpu } = samples[events]
        const each = { changes: latencies.length, median: median(latencies), cpu: cpu / latencies.length }
        figures.push({ change: name, events, ...each })
      }
    }
    return figures
  } finally {
    await app.close()
  }
}

export const auditTable = (figures: readonly AuditFigures[]): string =>
  aligned(
    [
      ['change', 'events', 'changes', 'median ms', 'CPU ms'],
      ...figures.map(({ change, events, changes, median: usual, cpu }) => [
        change,
        events,
        String(changes),
        usual.toFixed(2),
        cpu.toFixed(2),
      ]),
    ],
    2,
  )
