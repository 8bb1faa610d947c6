/**
 * How long it takes until every node of a cluster has its slice of a new version, from one server process: the first
 * request has the bundle decoded, the others are served from memory. Then the same requests when there is nothing new.
 * `npx tsx bench/slices.ts [nodes] [at once]`
 *
 * For comparison, in the same run, bare node:http that answers each request with the same bytes.
 */
import { compileThreads } from '../src/domain/bundles/compile/compile-thread.ts'
import { systemOperator } from '../src/auth/system.ts'
import { createLog } from '../src/base/log.ts'
import { updateClusterVersion } from '../src/domain/clusters/clusters.ts'
import { publishCluster } from '../src/domain/publishing/publish.ts'
import { openDatabases } from './lib/databases.ts'
import { largeCluster } from './lib/large-cluster.ts'
import { ask, Load, type Traffic } from './lib/load.ts'
import { buildProgram, stayOnLoadCore, type ServerProcess } from './lib/processes.ts'
import { spreadOf } from './lib/statistics.ts'
import { startBare, startOrrery } from './lib/targets.ts'
import { bundleTraffic } from './lib/traffic.ts'

const [count = 10_000, atOnce = 64] = process.argv.slice(2).map(Number)

buildProgram()
stayOnLoadCore()
const databases = await openDatabases('sqlite')
try {
  const url = await databases.create()
  const { database, vault, id, tokens } = await largeCluster(url, count)
  const operator = systemOperator(database)
  await updateClusterVersion(operator, id)
  const version = await publishCluster({ scope: operator, vault, log: createLog('warn') }, id)
  await compileThreads.stop()
  await database.close()

  const [orrery, bare] = [await startOrrery(url, await databases.folder()), await startBare()]
  const nodes = tokens.map((token) => ({ token }))
  const [news, noNews] = [bundleTraffic(nodes, null), bundleTraffic(nodes, `"${version}"`)]
  await everybody('slices, the bundle decoded for the first', orrery, news)
  await everybody('slices again', orrery, news)
  await everybody('nothing new (304)', orrery, noNews)
  const [first] = news.requests
  if (first === undefined) throw new Error('no nodes, no slices')
  const answer = await ask(orrery.port, first)
  bare.send({
    answer: { path: '/bundle', status: 200, contentType: 'application/gzip', body: answer.body.toString('base64') },
  })
  await everybody(`bare node:http, the same ${answer.body.length} bytes for all`, bare, news)
  await Promise.all([orrery.stop(), bare.stop()])
} finally {
  await databases.close()
}

/** Makes every node send one request. */
async function everybody(what: string, server: ServerProcess, traffic: Traffic): Promise<void> {
  const load = new Load(server.port, traffic)
  const before = await server.usage()
  const { requests, failures, seconds, latencies, example } = await load.run(atOnce, 60, traffic.requests.length)
  const { cpu, rss } = await server.usage()
  load.close()
  if (failures > 0) throw new Error(`${what}: ${failures} of ${requests} failed: ${example}`)
  const { p50, p99 } = spreadOf(latencies)
  console.log(
    `${what.padEnd(48)} ${requests} in ${seconds.toFixed(2)} s; ${((cpu - before.cpu) / requests).toFixed(0)} µs of CPU each; ` +
      `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms; ${(rss / 2 ** 20).toFixed(0)} MiB`,
  )
}
