// A program of its own, for tests of several instances on one database: it runs an instance as the server does and
// prints events as JSON lines (`Line` below). SIGTERM stops it in order. Arguments: URL, address, intervals as JSON, and
// milliseconds between two runs of each sweep of the server's; without them, it has no sweeps.
import { systemOperator } from '../../src/auth/system.ts'
import { createLog } from '../../src/base/log.ts'
import { openDatabase } from '../../src/db/client/client.ts'
import { replicaLease, type ReplicaTimes } from '../../src/db/writes/lease.ts'
import { replicaRegistry } from '../../src/domain/replicas/replicas.ts'
import { Vault } from '../../src/domain/pki/vault.ts'
import { AuditKeeper } from '../../src/domain/audit/keeper.ts'
import { startPublisher } from '../../src/domain/publishing/publisher.ts'
import { SignIns } from '../../src/domain/tenants/sign-ins.ts'
import { deriveKeys } from '../../src/auth/keys.ts'
import { Tokens } from '../../src/auth/tokens.ts'
import { startReplica } from '../../src/ha/replica.ts'
import { Sweeps } from '../../src/ha/sweeps.ts'
import { EphemeralNodes } from '../../src/domain/nodes/ephemeral-nodes.ts'
import { masterSweeps } from '../../src/sweeps.ts'

/** Times are milliseconds of the machine's monotonic clock, the same one for all its processes. */
export type Line =
  | { readonly event: 'started'; readonly at: number; readonly id: string }
  | { readonly event: 'promoted' | 'demoted' | 'beat' | 'stopped'; readonly at: number }
  /** One that is neither about instances nor a part of a transaction. */
  | { readonly event: 'statement'; readonly at: number; readonly sql: string }
  /** Its `isMaster` was true on every call between the two times. */
  | { readonly event: 'wasMaster'; readonly from: number; readonly to: number }
  | { readonly event: 'log'; readonly line: string }

const [url = '', address = '', json = '', sweepEvery = ''] = process.argv.slice(2)
const times = JSON.parse(json) as ReplicaTimes
const now = () => Number(process.hrtime.bigint()) / 1e6
const say = (line: Line) => process.stdout.write(`${JSON.stringify(line)}\n`)

const database = await openDatabase(url, {
  poolSize: 2,
  onQuery(sql) {
    if (sweepEvery !== '' && !/^(BEGIN|COMMIT|ROLLBACK|SELECT 1|LISTEN)|replicas/.test(sql)) {
      say({ event: 'statement', at: now(), sql })
    }
  },
})
const log = createLog('warn', { write: (line: string) => say({ event: 'log', line }) })
const vault = new Vault('the secret of all instances, thirty-two characters')
const operator = { ...systemOperator(database, vault), lease: replicaLease(database, times) }
const registry = replicaRegistry(operator)
const sweeps = sweepEvery === '' ? null : serverSweeps(Number(sweepEvery))
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
  log,
  onPromoted(isMaster) {
    say({ event: 'promoted', at: now() })
    sweeps?.begin(isMaster)
  },
  async onDemoted() {
    say({ event: 'demoted', at: now() })
    await sweeps?.end()
  },
})
say({ event: 'started', at: now(), id: replica.id })

let from: number | null = null
let to = 0
let said = 0
const tellMastership = () => {
  if (from !== null) say({ event: 'wasMaster', from, to })
  said = to
}
const sampling = setInterval(() => {
  // The clock is read first: an instance that is master now was master then.
  const at = now()
  if (replica.isMaster()) {
    from ??= at
    to = at
    if (to - said > 50) tellMastership()
  } else if (from !== null) {
    tellMastership()
    from = null
  }
}, 2)

process.once('SIGTERM', () => {
  void replica.stop().then(async () => {
    clearInterval(sampling)
    tellMastership()
    await database.close()
    say({ event: 'stopped', at: now() })
  })
})

/** The sweeps of a server, and its publisher, which publishes what is left over when it starts. */
function serverSweeps(interval: number): Sweeps {
  const keys = deriveKeys('the secret of all instances, thirty-two characters')
  const tokens = new Tokens(keys.tokenHash)
  const audit = new AuditKeeper({ operator, keys: { present: keys.audit, previous: [] }, days: 0, log })
  const publisher = startPublisher({ operator, vault, log })
  const all = masterSweeps({
    operator,
    vault,
    log,
    publisher,
    signIns: new SignIns({ operator, tokens }),
    ephemeralNodes: new EphemeralNodes({ operator, log }),
    audit,
  })
  return new Sweeps(
    all.map((sweep) => ({ ...sweep, interval })),
    log,
  )
}
