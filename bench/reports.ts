/**
 * Polls while ten thousand agents report: what the reports cost agents that only poll, and how often they are written.
 * `npx tsx bench/reports.ts [--postgres]` (or as part of `npm run bench`: `--only reports`)
 */
import { openDatabases } from './lib/databases.ts'
import { seed } from './lib/dataset.ts'
import { buildProgram, stayOnLoadCore } from './lib/processes.ts'
import { measureReports, reportsTable } from './lib/reports.ts'

buildProgram()
stayOnLoadCore()
const databases = await openDatabases(process.argv.includes('--postgres') ? 'postgresql' : 'sqlite')
try {
  console.log(reportsTable(await measureReports(await seed(await databases.create(), 10_000), databases)))
} finally {
  await databases.close()
}
