import { auditTable, measureAudit, type AuditFigures } from './audit.ts'
import { seed, seedFleet, type Dataset } from './dataset.ts'
import type { Databases } from './databases.ts'
import { fleetTable, measureFleet, type FleetFigures } from './fleet.ts'
import { fanOutTable, measureFanOut, type FanOut } from './fan-out.ts'
import { growthTable } from './growth.ts'
import { manyNodesLine, measureManyNodes, type ManyNodesFigures } from './many-nodes.ts'
import { measure, type Servers } from './measure.ts'
import type { Options } from './options.ts'
import { measureOrders, ordersTable, type OrderFigures } from './orders.ts'
import type { ServerProcess } from './processes.ts'
import { measureReports, reportsTable, type ReportsFigures } from './reports.ts'
import { scenariosFor } from './scenarios.ts'
import { measureStartUp, type StartUps } from './start-up.ts'
import { aligned, tableOf, type Line, type SizeResult } from './table.ts'
import { peerNames, startBare, startOrrery, startPeer, startSql, type TargetName } from './targets.ts'

interface Results {
  readonly sizes: readonly SizeResult[]
  readonly startUp: StartUps | null
  /** One publication for each number of live agents. */
  readonly fanOut: readonly FanOut[] | null
  readonly reports: ReportsFigures | null
  readonly orders: readonly OrderFigures[] | null
  readonly manyNodes: ManyNodesFigures | null
  /** For each number of streams. */
  readonly fleet: readonly FleetFigures[] | null
  /** On SQLite only. */
  readonly audit: readonly AuditFigures[] | null
  readonly notes: readonly string[]
}

/** Measures everything that was requested, and prints each table as soon as it is complete. */
export async function measureAll(options: Options, databases: Databases): Promise<Results> {
  const { engine, sizes, only, peers } = options
  const wants = (name: string) => only?.has(name) ?? true
  const notes: string[] = []
  if (!peers) notes.push('Peers were left out (--no-peers).')
  else if (engine === 'sqlite')
    notes.push('PostGraphile is measured on PostgreSQL only (--postgres), the one engine it has.')
  const done: SizeResult[] = []
  let startUp: StartUps | null = null
  let reports: ReportsFigures | null = null
  for (const nodes of sizes) {
    const data = await seed(await databases.create(), nodes)
    const scenarios = scenariosFor(data).filter(({ name }) => wants(name))
    if (scenarios.length > 0) {
      const servers = await startAll(data, databases, options)
      const lines: Line[] = []
      try {
        for (const scenario of scenarios) {
          const { name, title } = scenario
          lines.push({ name, title, figures: await measure(scenario, servers, options.effort) })
        }
      } finally {
        for (const server of servers.values()) await server.stop()
      }
      console.log(`\n${engine}, ${nodes} nodes\n${tableOf(lines)}`)
      done.push({ nodes, lines })
    }
    if (nodes === sizes.at(-1) && wants('start-up')) {
      startUp = await measureStartUp(data.url, databases)
      console.log(`\nStart and rest, ${nodes} nodes\n${startUpTable(startUp)}`)
    }
    // Last, because the nodes then run the version that they reported.
    if (nodes === sizes.at(-1) && wants('reports')) {
      reports = await measureReports(data, databases)
      console.log(`\nPolls while agents report, ${nodes} nodes\n${reportsTable(reports)}`)
    }
  }
  let fanOut: FanOut[] | null = null
  if (wants('fan-out')) {
    fanOut = await measureFanOut(databases, options.agents)
    console.log(`\nOne publication to live agents\n${fanOutTable(fanOut)}`)
  }
  const lists = await measureLists(options, databases)
  if (done.length > 1) console.log(`\nGrowth\n${growthTable(done)}`)
  for (const note of notes) console.log(`Note: ${note}`)
  return { sizes: done, startUp, reports, fanOut, ...lists, notes }
}

/** What is asked of many nodes and clusters at once, and what the audit trail costs. */
async function measureLists(
  { engine, only, listed }: Options,
  databases: Databases,
): Promise<Pick<Results, 'orders' | 'manyNodes' | 'fleet' | 'audit'>> {
  const wants = (name: string) => only?.has(name) ?? true
  let orders: OrderFigures[] | null = null
  if (wants('orders')) {
    orders = await measureOrders(await seed(await databases.create(), listed), databases)
    console.log(`\nLists of all nodes, ${listed} nodes\n${ordersTable(orders)}`)
  }
  let manyNodes: ManyNodesFigures | null = null
  if (wants('many-nodes')) {
    manyNodes = await measureManyNodes(databases)
    console.log(`\nMany nodes in one call\n${manyNodesLine(manyNodes)}`)
  }
  let fleet: FleetFigures[] | null = null
  if (wants('fleet')) {
    const data = await seedFleet(await databases.create(), { clusters: 500, nodes: 10_000 })
    fleet = await measureFleet(data, databases, [0, 1, 10])
    console.log(`\nStreams of a fleet of 500 clusters while its nodes report\n${fleetTable(fleet)}`)
  }
  let audit: AuditFigures[] | null = null
  if (wants('audit') && engine === 'sqlite') {
    audit = await measureAudit(databases)
    console.log(`\nChanges and their events\n${auditTable(audit)}`)
  }
  return { orders, manyNodes, fleet, audit }
}

async function startAll({ url }: Dataset, databases: Databases, { engine, peers }: Options): Promise<Servers> {
  const servers = new Map<TargetName, ServerProcess>()
  servers.set('orrery', await startOrrery(url, await databases.folder()))
  servers.set('bare', await startBare())
  servers.set('sql', await startSql(url))
  for (const name of peers ? peerNames : []) {
    if (name !== 'postgraphile' || engine === 'postgresql') servers.set(name, await startPeer(name, url))
  }
  return servers
}

function startUpTable({ orrery, orreryFirst, bare }: StartUps): string {
  const row = (name: string, { milliseconds, idleMemory }: StartUps['bare']) => [
    name,
    milliseconds.toFixed(0),
    (idleMemory / 2 ** 20).toFixed(0),
  ]
  return aligned(
    [
      ['server', 'ready after ms', 'idle MiB'],
      row('Orrery', orrery),
      row('Orrery, on an empty database', orreryFirst),
      row('bare node:http', bare),
    ],
    1,
  )
}
