// A program of its own, for tests of several instances on one database: it runs an instance as the server does and
// prints events as JSON lines (`Line` below). SIGTERM stops it in order. Arguments: URL, address, intervals as JSON.
import { systemOperator } from '../../src/auth/system.ts'
import { createLog } from '../../src/base/log.ts'
import { openDatabase } from '../../src/db/client/client.ts'
import { replicaLease, type ReplicaTimes } from '../../src/db/writes/lease.ts'
import { replicaRegistry } from '../../src/domain/replicas/replicas.ts'
import { startReplica } from '../../src/ha/replica.ts'

/** Times are milliseconds of the machine's monotonic clock, the same one for all its processes. */
export type Line =
  | { readonly event: 'started'; readonly at: number; readonly id: string }
  | { readonly event: 'promoted' | 'demoted' | 'beat' | 'stopped'; readonly at: number }
  /** Its `isMaster` was true on every call between the two times. */
  | { readonly event: 'believed'; readonly from: number; readonly to: number }
  | { readonly event: 'log'; readonly line: string }

const [url = '', address = '', json = ''] = process.argv.slice(2)
const times = JSON.parse(json) as ReplicaTimes
const now = () => Number(process.hrtime.bigint()) / 1e6
const say = (line: Line) => process.stdout.write(`${JSON.stringify(line)}\n`)

const database = await openDatabase(url, { poolSize: 2 })
const registry = replicaRegistry({ ...systemOperator(database), lease: replicaLease(database, times) })
const replica = await startReplica({
  registry: {
    ...registry,
    async heartbeat(id) {
      const role = await registry.heartbeat(id)
      say({ event: 'beat', at: now() })
      return role
    },
  },
  address,
  intervals: times,
  log: createLog('warn', { write: (line: string) => say({ event: 'log', line }) }),
  onPromoted: () => void say({ event: 'promoted', at: now() }),
  onDemoted: () => void say({ event: 'demoted', at: now() }),
})
say({ event: 'started', at: now(), id: replica.id })

let from: number | null = null
let to = 0
let said = 0
const tellBelief = () => {
  if (from !== null) say({ event: 'believed', from, to })
  said = to
}
const sampling = setInterval(() => {
  // The clock is read first: an instance that is master now was master then.
  const at = now()
  if (replica.isMaster()) {
    from ??= at
    to = at
    if (to - said > 50) tellBelief()
  } else if (from !== null) {
    tellBelief()
    from = null
  }
}, 2)

process.once('SIGTERM', () => {
  void replica.stop().then(async () => {
    clearInterval(sampling)
    tellBelief()
    await database.close()
    say({ event: 'stopped', at: now() })
  })
})
