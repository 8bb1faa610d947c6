import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { authenticator } from './auth/authenticate.ts'
import { identityProvider } from './auth/identity-provider.ts'
import { jwtVerifier } from './auth/jwt.ts'
import { deriveKeys, type Keys } from './auth/keys.ts'
import { keptSecret, readOthers, readSecret } from './auth/secret.ts'
import { systemOperator } from './auth/system.ts'
import { Tokens } from './auth/tokens.ts'
import { descriptorLimit, shareDescriptors } from './base/limits/descriptors.ts'
import { FairQueue } from './base/limits/fair-queue.ts'
import type { Fault, Faults } from './base/faults.ts'
import { createLog, type Logger } from './base/log.ts'
import { programFile } from './base/program.ts'
import { Spool } from './base/limits/spool.ts'
import { type Config, ConfigError } from './config.ts'
import { type Database, openDatabase } from './db/client/client.ts'
import { openConnection } from './db/client/connection.ts'
import { assertCurrent, migrateUp } from './db/migrations/index.ts'
import { type NoticeBridge, startNoticeBridge } from './db/notify/bridge.ts'
import { AuditKeeper } from './domain/audit/keeper.ts'
import { CredentialUses } from './domain/tenants/credential-uses.ts'
import { credentials } from './domain/tenants/credentials.ts'
import { EphemeralNodes } from './domain/nodes/ephemeral-nodes.ts'
import { Presence } from './domain/presence/presence.ts'
import { replicaRegistry } from './domain/replicas/replicas.ts'
import { ClosedClusters } from './domain/pki/closed-clusters.ts'
import { startPublisher } from './domain/publishing/publisher.ts'
import { LiveClusters } from './domain/live/clusters.ts'
import { compileThreads } from './domain/bundles/compile/compile-thread.ts'
import { bundleCache } from './domain/bundles/bundle-cache.ts'
import { RefusedSignIns } from './domain/tenants/refused-sign-ins.ts'
import { SignIns } from './domain/tenants/sign-ins.ts'
import { countTenants } from './domain/tenants/tenants.ts'
import { warnOfRules } from './domain/tenants/group-rules.ts'
import { Vault } from './domain/pki/vault.ts'
import { startReplica } from './ha/replica.ts'
import { Sweeps } from './ha/sweeps.ts'
import { createApp } from './http/app.ts'
import { readPageFiles } from './http/page/page-files.ts'
import type { Health } from './http/routes/health.ts'
import { listen } from './http/server/server.ts'
import { StreamPlaces } from './http/live/stream-places.ts'
import { Strangers } from './http/pipeline/strangers.ts'
import { masterSweeps } from './sweeps.ts'

/** A running server; `stop` closes everything that it has opened, in order. */
export interface RunningServer {
  readonly url: string
  readonly database: Database
  readonly keys: Keys
  readonly tokens: Tokens
  readonly log: Logger
  readonly signIns: SignIns
  /** Ends running requests, deletes the instance's row, closes the database; throws all errors together at the end. */
  stop(): Promise<void>
}

interface Hooks {
  /** Called when the database is up to date, before the first request. */
  readonly beforeListening?: (dependencies: { database: Database; tokens: Tokens; vault: Vault }) => Promise<void>
}

/** The composition root: configuration → database → instance → HTTP. If a step fails, all that is open is closed. */
export async function startServer(config: Config, { beforeListening }: Hooks = {}): Promise<RunningServer> {
  const log = createLog(config.logLevel)
  const opened: { name: string; close: () => Promise<void> }[] = []
  const stop = () => closeAll(opened, log)
  try {
    await migrate(config.databaseUrl, log)
    const { statementDeadline } = config
    const database = await openDatabase(config.databaseUrl, { statementDeadline })
    database.faults.tell(log)
    const { faults } = database
    opened.push({ name: 'database', close: database.close })
    const bridge = await startNoticeBridge(database, { log })
    opened.push({ name: 'notice bridge', close: () => bridge.close() })
    const tenants = await countTenants(systemOperator(database))
    const secret = config.secret ?? (await embeddedSecret(config.dataDir, tenants))
    const previous = [...config.previousSecrets, ...(config.secret === null ? await readOthers(config.dataDir) : [])]
    const keys = deriveKeys(secret)
    const keysBefore = previous.map(deriveKeys)
    const tokens = new Tokens(
      keys.tokenHash,
      keysBefore.map(({ tokenHash }) => tokenHash),
    )
    const vault = new Vault(secret, previous)
    const operator = systemOperator(database, vault)
    const closed = new ClosedClusters({ operator, vault, log })
    await beforeListening?.({ database, tokens, vault })
    await warnOfRules(operator, config.identityProvider?.rules ?? [], log)

    const uses = new CredentialUses({ operator, log })
    const authenticate = authenticator({
      database,
      tokens,
      jwts: jwtVerifier(
        keys.jwt,
        config.identityProvider && identityProvider(config.identityProvider, log),
        keysBefore.map(({ jwt }) => jwt),
      ),
      credentials: credentials(operator),
      used: (credentialId) => {
        uses.used(credentialId)
      },
      opener: vault,
    })
    const signIns = new SignIns({ operator, tokens })
    const refusedSignIns = new RefusedSignIns({ operator, tokens, log })
    const presence = new Presence({ operator, log })
    const room = shareDescriptors(await descriptorLimit())
    const app = createApp({
      authenticate,
      presence,
      signIns,
      refusedSignIns,
      expensive: new FairQueue(config.expensive),
      strangers: new Strangers(config.strangers),
      places: new StreamPlaces({ ...config.streams, all: room.streams }, faults),
      spool: spoolOf(config, faults),
      tokens,
      vault,
      log,
      live: new LiveClusters(database.changes, { log }),
      bundleCache: bundleCache(operator),
      corsOrigins: config.corsOrigins,
      introspection: config.introspection,
      health: health(database, bridge, closed),
      page: await readPageFiles(fileURLToPath(programFile('dist/web'))),
    })
    // Stops after the requests have ended: the last changes are published, the rest is caught up at the next start.
    const publisher = startPublisher({ operator, vault, log, closed })
    opened.push({ name: 'compile threads', close: () => compileThreads.stop() })
    opened.push({ name: 'publisher', close: () => publisher.stop() })
    // Not awaited: a change of a cluster whose keys do not open is refused whether this check has reached it or not.
    const looking = closed.look().catch((err: unknown) => log.error({ err }, 'trying the keys of the clusters failed'))
    opened.push({ name: 'look at keys', close: () => looking })
    // Stops before the publisher, which has to publish what follows from the last reports.
    opened.push({ name: 'presence', close: () => presence.stop() })
    opened.push({ name: 'credential uses', close: () => uses.stop() })
    opened.push({ name: 'refused sign-ins', close: () => refusedSignIns.settled() })
    const server = await listen(app, {
      host: config.host,
      port: config.port,
      mostConnections: room.connections,
      onCrowd: (reason) => faults.note('descriptors', reason),
    })
    opened.push({ name: 'http', close: () => server.close() })
    const address = config.publicUrl ?? server.url
    const ephemeralNodes = new EphemeralNodes({ operator, log })
    const auditKeys = { present: keys.audit, previous: keysBefore.map(({ audit: key }) => key) }
    const audit = new AuditKeeper({ operator, keys: auditKeys, days: config.auditRetentionDays, log })
    const sweeps = new Sweeps(masterSweeps({ operator, vault, log, publisher, ephemeralNodes, signIns, audit }), log)
    const replica = await startReplica({
      ...{ registry: replicaRegistry(operator), address, log },
      onPromoted: (isMaster) => sweeps.begin(isMaster),
      onDemoted: () => sweeps.end(),
    })
    // First the requests end, then the instance's row is deleted.
    opened.splice(-1, 0, { name: 'instance', close: () => replica.stop() })
    log.info({ url: server.url, engine: database.engine, instance: replica.id }, 'ready')
    return { url: server.url, database, keys, tokens, log, signIns, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Every upload belongs to a piece of work that waits or runs, so there are as many places as pieces of work. */
function spoolOf({ dataDir, expensive, uploadMemory }: Config, faults: Faults): Spool {
  const { running, waiting, waitingOfOwner } = expensive
  const limits = { ofOwner: waitingOfOwner + 1, all: waiting + running, memory: uploadMemory }
  return new Spool(join(dataDir, 'uploads'), limits, faults)
}

async function migrate(url: string, log: Logger): Promise<void> {
  const connection = await openConnection(url)
  try {
    await migrateUp(connection, (message) => {
      log.info(message)
    })
  } finally {
    await connection.close()
  }
}

/** The secret kept beside an embedded database. If it is missing although there are tenants, it was lost. */
async function embeddedSecret(dataDir: string, tenants: number): Promise<string> {
  const known = await readSecret(dataDir)
  if (known !== null) return known
  if (tenants > 0) {
    throw new ConfigError(
      `${dataDir}/secret is missing, and the database was made under it: no token would hold any more. Restore the ` +
        'file, or set ORRERY_SECRET (to a new value if the old one is lost: then every token must be made anew).',
    )
  }
  return (await keptSecret(dataDir)).secret
}

/** Faults that the other checks do not detect themselves. */
const lastingFaults: ReadonlySet<Fault> = new Set(['full', 'readOnly', 'disk', 'damaged', 'locked', 'descriptors'])

/** Queries each pool over the connections that requests use, so that health checks open no further ones. */
function health({ client, engine, reader, faults }: Database, bridge: NoticeBridge, closed: ClosedClusters): Health {
  const query = (sql: string) => reader.read(sql, [])
  const checks = {
    async database() {
      await client.$queryRaw`SELECT 1`
    },
    migrations: () => assertCurrent({ engine, query }),
    news: () => bridge.check(),
    async resources() {
      const present = faults.present.filter((fault) => lastingFaults.has(fault))
      if (present.length > 0) throw new Error(`met a moment ago: ${present.join(', ')}`)
    },
    streams: async () => (faults.present.includes('streams') ? 'full' : undefined),
  }
  const warnings = async () =>
    (await closed.areAny())
      ? ['Some clusters cannot be signed for: their keys do not open under this secret. See the log.']
      : []
  return { checks, warnings }
}

/** Closes in reverse order of opening; a failure does not keep the rest open. */
async function closeAll(opened: { name: string; close: () => Promise<void> }[], log: Logger): Promise<void> {
  const failures: unknown[] = []
  for (let one = opened.pop(); one; one = opened.pop()) {
    try {
      await one.close()
    } catch (error) {
      log.error({ err: error, part: one.name }, 'closing failed')
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'not everything was closed in order')
}
