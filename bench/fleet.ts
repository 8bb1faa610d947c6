/**
 * One stream for a whole fleet while its nodes report: what it costs the server and other callers.
 * `npx tsx bench/fleet.ts [--postgres]`
 */
import { openDatabases } from './lib/databases.ts'
import { seedFleet } from './lib/dataset.ts'
import { fleetTable, measureFleet } from './lib/fleet.ts'
import { buildProgram, stayOnLoadCore } from './lib/processes.ts'

buildProgram()
stayOnLoadCore()
const databases = await openDatabases(process.argv.includes('--postgres') ? 'postgresql' : 'sqlite')
try {
  const data = await seedFleet(await databases.create(), { clusters: 500, nodes: 10_000 })
  console.log(fleetTable(await measureFleet(data, databases, [0, 1, 10])))
} finally {
  await databases.close()
}
