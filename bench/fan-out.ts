/**
 * One publication to thousands of live agents, and their return to a restarted server.
 * `npx tsx bench/fan-out.ts [agents …] [--postgres]` (or as part of `npm run bench`: `--only fan-out`)
 */
import { openDatabases } from './lib/databases.ts'
import { fanOutTable, measureFanOut } from './lib/fan-out.ts'
import { buildProgram, stayOnLoadCore } from './lib/processes.ts'

const args = process.argv.slice(2)
const sizes = args.map(Number).filter((size) => size > 0)
buildProgram()
stayOnLoadCore()
const databases = await openDatabases(args.includes('--postgres') ? 'postgresql' : 'sqlite')
try {
  console.log(fanOutTable(await measureFanOut(databases, sizes.length > 0 ? sizes : [1000, 5000, 10_000])))
} finally {
  await databases.close()
}
