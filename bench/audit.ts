import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openConnection } from '../src/db/client/connection.ts'
import { migrateUp } from '../src/db/migrations/index.ts'
import { unrecorded } from '../src/graphql/changes/recorded.ts'
import { startApp, type TestApp } from '../test/support/app.ts'
import { createNode, createWorld, type World } from '../test/support/world.ts'

/*
 * What the audit trail costs a change: the same changes with and without their events, in turn, in one process.
 * `tsx bench/audit.ts [rounds]`, on SQLite.
 */

const rounds = Number(process.argv[2] ?? 20)
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

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** The template that tests copy: a migrated database. */
const folder = await mkdtemp(join(tmpdir(), 'orrery-audit-bench-'))
const template = join(folder, 'template.db')
const connection = await openConnection(`file:${template}`)
await migrateUp(connection)
await connection.close()
process.env['TEST_SQLITE_TEMPLATE'] = template

const app = await startApp('sqlite')
try {
  const world = await createWorld(app, 'bench', randomUUID())
  let count = 0
  const changes = {
    createNode: () => createNode(app, world.admin, { clusterId: world.clusterId, name: `n${(count += 1)}` }),
    updateNodeRoutes: () => routes(app, world, (count += 1)),
  }
  const fresh = (): Sample => ({ latencies: [], cpu: 0 })
  for (const name of names) {
    const samples = { without: fresh(), with: fresh() }
    for (let round = -2; round < rounds; round += 1) {
      for (const kind of ['without', 'with'] as const) {
        if (kind === 'without') switches.add(name)
        else switches.delete(name)
        await measure(round < 0 ? fresh() : samples[kind], changes[name])
      }
    }
    for (const [kind, { latencies, cpu }] of Object.entries(samples)) {
      const line = `${median(latencies).toFixed(2)} ms median, ${(cpu / latencies.length).toFixed(2)} ms CPU`
      console.log(`${name} ${kind} events: ${line} (${latencies.length} changes)`)
    }
  }
} finally {
  await app.close()
  await rm(folder, { recursive: true })
}
