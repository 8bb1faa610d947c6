import { setImmediate } from 'node:timers/promises'

import { systemOperator } from '../../src/auth/system.ts'
import { openDatabase } from '../../src/db/client/client.ts'
import { nodesUpdate, updateNodes } from '../../src/domain/nodes/many/update-nodes.ts'
import type { Databases } from './databases.ts'
import { largeCluster } from './large-cluster.ts'
import { median } from './statistics.ts'

/** What one call costs that gives a group to many nodes, or takes it from them. */
export interface ManyNodesFigures {
  readonly nodes: number
  /** Medians of the calls. */
  readonly seconds: number
  /** How long the event loop did not serve anybody, at most, in milliseconds. */
  readonly longestHold: number
  readonly statements: number
  /** By how much each call raised the cluster's version. */
  readonly versions: number
}

const nodes = 1000
/** Each call revokes a thousand certificates, and the list of revoked ones grows with it. */
const calls = 6

/** In this process, whose event loop does nothing else; without the audit trail, which adds a few statements. */
export async function measureManyNodes(databases: Databases): Promise<ManyNodesFigures> {
  const url = await databases.create()
  const { database: filled, vault, id } = await largeCluster(url, nodes)
  await filled.close()
  let statements = 0
  const database = await openDatabase(url, { onQuery: () => (statements += 1) })
  const operator = systemOperator(database)
  const holds = watchHolds()
  try {
    const rows = await operator.db.node.findMany({ where: { clusterId: id }, select: { id: true } })
    const version = async () =>
      (await operator.db.cluster.findUniqueOrThrow({ where: { id }, select: { configVersion: true } })).configVersion
    const first = await version()
    const samples = []
    for (let call = 0; call < calls; call += 1) {
      const group = call % 2 === 0 ? { addGroups: ['bench'] } : { removeGroups: ['bench'] }
      statements = 0
      holds.take()
      const began = performance.now()
      await updateNodes(
        operator,
        id,
        rows.map((row) => row.id),
        nodesUpdate(vault, group),
      )
      samples.push({ seconds: (performance.now() - began) / 1000, hold: holds.take(), statements })
    }
    return {
      nodes: rows.length,
      seconds: median(samples.map(({ seconds }) => seconds)),
      longestHold: median(samples.map(({ hold }) => hold)),
      statements: median(samples.map((one) => one.statements)),
      versions: ((await version()) - first) / calls,
    }
  } finally {
    holds.stop()
    await database.close()
  }
}

export const manyNodesLine = ({ nodes: count, seconds, longestHold, statements, versions }: ManyNodesFigures): string =>
  `${count} nodes are given a group in ${seconds.toFixed(2)} s, ${statements} statements, ${versions} version; ` +
  `the event loop was held for ${longestHold.toFixed(0)} ms at most`

/** Measures the time between two ticks of the event loop. */
function watchHolds() {
  let longest = 0
  let isRunning = true
  const watch = async (): Promise<void> => {
    for (let last = performance.now(); isRunning; last = performance.now()) {
      await setImmediate()
      longest = Math.max(longest, performance.now() - last)
    }
  }
  void watch()
  return {
    /** The longest one since the last call. */
    take(): number {
      const taken = longest
      longest = 0
      return taken
    },
    stop(): void {
      isRunning = false
    },
  }
}
