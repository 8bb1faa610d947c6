// `npm run bench`: how fast Orrery is, always relative to something that was measured in the same minute on the same
// machine. docs/performance.md explains the figures.
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'

import { openDatabases } from './lib/databases.ts'
import { measureAll } from './lib/measure-all.ts'
import { readOptions, usage } from './lib/options.ts'
import { installPeers } from './lib/peers.ts'
import { buildProgram, cores, root, stayOnLoadCore } from './lib/processes.ts'

const options = readOptions(process.argv.slice(2))
if (options === null) {
  console.log(usage)
} else {
  const start = performance.now()
  buildProgram()
  if (options.peers) installPeers()
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    pinned: cores !== null,
  }
  console.log(
    `${machine.processor}, ${machine.cores} cores, ${machine.memory}, Node ${machine.node}; ` +
      (cores ? 'the server on one core, the load on another' : 'processes are not pinned to cores here'),
  )
  stayOnLoadCore()
  const databases = await openDatabases(options.engine)
  try {
    const results = await measureAll(options, databases)
    const minutes = (performance.now() - start) / 60_000
    const { only, ...asked } = options
    const all = { date: new Date().toISOString(), minutes, machine, options: { ...asked, only: only && [...only] } }
    writeFileSync(`${root}bench/results.json`, `${JSON.stringify({ ...all, ...results }, null, 2)}\n`)
    console.log(`\nbench/results.json has all of it. ${minutes.toFixed(1)} minutes.`)
  } finally {
    await databases.close()
  }
}
