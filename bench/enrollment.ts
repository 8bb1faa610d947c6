/**
 * Enrollments per second on SQLite (WAL, synchronous=FULL) with many machines at once, through the whole application:
 * the cluster token, GraphQL, the certificate, the commit. For comparison, in the same run, what the disk alone allows:
 * bare inserts of rows of the same size with better-sqlite3, one transaction each.
 * `npx tsx bench/enrollment.ts [enrollments] [at once]`
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

import { authenticator } from '../src/auth/authenticate.ts'
import { jwtVerifier } from '../src/auth/jwt.ts'
import { deriveKeys } from '../src/auth/keys.ts'
import { systemOperator } from '../src/auth/system.ts'
import { Tokens } from '../src/auth/tokens.ts'
import { FairQueue } from '../src/base/limits/fair-queue.ts'
import { createLog } from '../src/base/log.ts'
import { Spool } from '../src/base/limits/spool.ts'
import { openDatabase } from '../src/db/client/client.ts'
import { openConnection } from '../src/db/client/connection.ts'
import { migrateUp } from '../src/db/migrations/index.ts'
import { LiveClusters } from '../src/domain/live/clusters.ts'
import { bundleCache } from '../src/domain/bundles/bundle-cache.ts'
import { createCluster } from '../src/domain/clusters/clusters.ts'
import { credentials } from '../src/domain/tenants/credentials.ts'
import { Presence } from '../src/domain/presence/presence.ts'
import { createTenant } from '../src/domain/tenants/tenants.ts'
import { Vault } from '../src/domain/pki/vault.ts'
import { createApp, type App } from '../src/http/app.ts'
import { RefusedSignIns } from '../src/domain/tenants/refused-sign-ins.ts'
import { SignIns } from '../src/domain/tenants/sign-ins.ts'
import { StreamPlaces } from '../src/http/live/stream-places.ts'
import { Strangers } from '../src/http/pipeline/strangers.ts'
import { formatPublicKey, generateNodeKeyPair } from '../src/pki/keys.ts'
import { fetchFrom } from '../test/support/fetch.ts'

const [total = 3000, atOnce = 64] = process.argv.slice(2).map(Number)
const folder = await mkdtemp(join(tmpdir(), 'orrery-enrollment-'))

try {
  const { app, token, close } = await start(`file:${join(folder, 'orrery.db')}`)
  const keys = Array.from({ length: total + 200 }, () => formatPublicKey(generateNodeKeyPair().publicKey))
  // The first enrollments compile the code and fill the caches.
  await enrollMany(app, token, keys.splice(0, 200), 'warm')
  const [began, before] = [performance.now(), process.cpuUsage()]
  const times = await enrollMany(app, token, keys, 'node')
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  await close()
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(0)
  console.log(
    `enrollments, ${atOnce} at once: ${(total / seconds).toFixed(0)}/s; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  )
  // Other work on the machine affects processor time less than elapsed time.
  console.log(`processor time of one: ${((user + system) / total).toFixed(0)} µs`)
  const bare = bareInserts(join(folder, 'bare.db'))
  console.log(`bare inserts, a transaction each (better-sqlite3): ${bare.toFixed(0)}/s`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function start(url: string) {
  const connection = await openConnection(url)
  await migrateUp(connection, () => undefined)
  await connection.close()
  const database = await openDatabase(url)
  const secret = randomBytes(32).toString('hex')
  const keys = deriveKeys(secret)
  const [tokens, vault] = [new Tokens(keys.tokenHash), new Vault(secret)]
  const operator = systemOperator(database)
  const { id: tenantId } = await createTenant(operator, { name: 'bench' })
  const { token } = await createCluster(operator, { tokens, vault }, { tenantId, name: 'bench' })
  const log = createLog('silent')
  const app = createApp({
    strangers: new Strangers({ perSecond: 20, burst: 100, trustedProxies: [] }),
    signIns: new SignIns({ operator, tokens }),
    refusedSignIns: new RefusedSignIns({ operator, tokens, log }),
    places: new StreamPlaces({ ofNode: 4, ofPerson: 32, ofTenant: 20_000 }),
    presence: new Presence({ operator, log }),
    expensive: new FairQueue({ running: 2, waitingOfOwner: 8, waiting: 64 }),
    spool: new Spool(tmpdir(), { ofOwner: 9, all: 66, memory: 32 * 1024 * 1024 }),
    authenticate: authenticator({
      database,
      tokens,
      jwts: jwtVerifier(keys.jwt, null),
      credentials: credentials(operator),
      used: () => undefined,
      opener: vault,
    }),
    tokens,
    vault,
    bundleCache: bundleCache(operator),
    log,
    live: new LiveClusters(database.changes, { log }),
    corsOrigins: [],
    introspection: 'nobody',
    page: null,
    health: { checks: { database: () => Promise.resolve() } },
  })
  return { app, token, close: () => database.close() }
}

/** The milliseconds that each one took. */
async function enrollMany(app: App, token: string, keys: string[], name: string): Promise<number[]> {
  const times: number[] = []
  let next = 0
  const worker = async () => {
    for (let index = next++; index < keys.length; index = next++) {
      const began = performance.now()
      const response = await fetchFrom(app, '/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({
          query: `mutation ($input: EnrollNodeInput!) { enrollNode(input: $input) {
            ... on EnrollNodePayload { node { id } token certificate caCertificate networkCidr bundleSigningKey clusterId }
            ... on Error { message } } }`,
          variables: { input: { name: `${name}-${index}`, publicKey: keys[index], nebulaVersion: '1.6.1' } },
        }),
      })
      const text = await response.text()
      if (!text.includes('"certificate"')) throw new Error(text)
      times.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return times
}

function bareInserts(file: string): number {
  const database = new Sqlite(file)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec('CREATE TABLE nodes (id TEXT PRIMARY KEY, row TEXT NOT NULL)')
  const insert = database.prepare('INSERT INTO nodes VALUES (?, ?)')
  const row = 'x'.repeat(900)
  const began = performance.now()
  for (let index = 0; index < total; index += 1) insert.run(`node-${index}`, row)
  const rate = total / ((performance.now() - began) / 1000)
  database.close()
  return rate
}
