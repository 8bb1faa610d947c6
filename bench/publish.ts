/**
 * How long it takes to publish a cluster's version, from the row to the stored bundle, and for how long that blocks the
 * program: reading the nodes, compiling in the thread, keeping renewed certificates, storing, and reading the bundle
 * for the first node that asks. `npx tsx bench/publish.ts [nodes]`
 *
 * For comparison, in the same run: reading all nodes with one bare SQL statement.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

import { systemOperator } from '../src/auth/system.ts'
import { createLog } from '../src/base/log.ts'
import { bundleShelf } from '../src/domain/bundles/bundle-shelf.ts'
import { compileThreads } from '../src/domain/bundles/compile/compile-thread.ts'
import { rotateClusterCa, advanceCaRotations } from '../src/domain/pki/ca-rotation.ts'
import { updateClusterVersion } from '../src/domain/clusters/clusters.ts'
import { publishCluster } from '../src/domain/publishing/publish.ts'
import { largeCluster } from './lib/large-cluster.ts'
import { watched } from './lib/watched.ts'

const [count = 10_000] = process.argv.slice(2).map(Number)
const folder = await mkdtemp(join(tmpdir(), 'orrery-publish-'))
const file = join(folder, 'orrery.db')

/** Does some work and prints how long it took, and for how long it blocked everything else. */
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const { result, took, blocked } = await watched(work)
  console.log(`${what.padEnd(52)} ${took.toFixed(0).padStart(6)} ms, loop at most ${blocked.toFixed(0)} ms`)
  return result
}

try {
  const { database, vault, id } = await largeCluster(`file:${file}`, count)
  const operator = systemOperator(database)
  const shelf = bundleShelf(operator)
  const means = { scope: operator, vault, log: createLog('warn') }
  const publish = (what: string) =>
    timed(what, async () => {
      const version = await publishCluster(means, id)
      if (version === null) throw new Error(`${what}: nothing was published`)
      return version
    })
  const everybodyRuns = (version: number) =>
    database.client.node.updateMany({ data: { runningConfigVersion: version, lastSeenAt: new Date() } })

  await updateClusterVersion(operator, id)
  await publish('the first version, the thread starting')
  for (let round = 0; round < 3; round += 1) {
    await updateClusterVersion(operator, id)
    const version = await publish('a version')
    await timed('  decoded for the first node that asks', () => shelf.get(id, version))
  }
  await rotateClusterCa(operator, vault, id, {})
  await everybodyRuns(await publish('a version with another CA beside'))
  await timed('  the rotation takes its next step', async () => {
    const steps = advanceCaRotations(operator)
    while ((await steps.next()).done !== true);
  })
  await publish('a version for which every node is signed again')
  await compileThreads.stop()
  await database.close()

  const bare = new Sqlite(file)
  const began = performance.now()
  const rows = bare.prepare('SELECT * FROM nodes WHERE cluster_id = ? ORDER BY name').all(id)
  console.log(
    `reading the ${rows.length} nodes with one statement (better-sqlite3): ${(performance.now() - began).toFixed(0)} ms`,
  )
  bare.close()
} finally {
  await rm(folder, { recursive: true, force: true })
}
