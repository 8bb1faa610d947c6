import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'

import { authenticator, type Authenticate } from '../../src/auth/authenticate.ts'
import { identityProvider, type IdentityProviderSettings } from '../../src/auth/identity-provider.ts'
import { jwtVerifier, mintJwt } from '../../src/auth/jwt.ts'
import { deriveKeys, type Keys } from '../../src/auth/keys.ts'
import type { Operator } from '../../src/auth/scope.ts'
import { systemOperator } from '../../src/auth/system.ts'
import { Tokens } from '../../src/auth/tokens.ts'
import { openDatabase } from '../../src/db/client/client.ts'
import { CredentialUses } from '../../src/domain/tenants/credential-uses.ts'
import { credentials } from '../../src/domain/tenants/credentials.ts'
import { LiveClusters } from '../../src/domain/live/clusters.ts'
import { bundleCache } from '../../src/domain/bundles/bundle-cache.ts'
import { Presence } from '../../src/domain/presence/presence.ts'
import { publishCluster } from '../../src/domain/publishing/publish.ts'
import { RefusedSignIns } from '../../src/domain/tenants/refused-sign-ins.ts'
import { SignIns } from '../../src/domain/tenants/sign-ins.ts'
import { Vault } from '../../src/domain/pki/vault.ts'
import { FairQueue } from '../../src/base/limits/fair-queue.ts'
import { StreamPlaces } from '../../src/http/live/stream-places.ts'
import type { TenantRole } from '../../src/auth/session.ts'
import { Strangers } from '../../src/http/pipeline/strangers.ts'
import { createLog } from '../../src/base/log.ts'
import { Spool } from '../../src/base/limits/spool.ts'
import { createApp, type App, type AppDependencies } from '../../src/http/app.ts'
import { clientOf, type Client, type GraphqlAnswer } from './client.ts'
import { fetchFrom } from './fetch.ts'
import { createMigratedDatabase, type Engine, type TestDatabase } from './database.ts'

export type { GraphqlAnswer }

export interface TestApp extends Client {
  readonly operator: string
  readonly tenantToken: (tenantId: string, role?: TenantRole) => Promise<string>
  /** The SQL statements since the last call. */
  readonly takeStatements: () => string[]
  /** Publishes all pending versions; the tests' app has no publisher of its own. */
  readonly publish: () => Promise<void>
  /**
   * Writes the nodes' reports, and when nodes and credentials were seen; the tests' app does not do so by itself. Waits
   * until refused sign-ins are in the trail.
   */
  readonly flush: () => Promise<void>
  /** The database's URL. */
  readonly url: string
  readonly database: Awaited<ReturnType<typeof openDatabase>>
  readonly authenticate: Authenticate
  /** The scope that the application itself reads with, to recognise callers for example. */
  readonly operatorScope: Operator
  readonly tokens: Tokens
  readonly signIns: SignIns
  readonly vault: Vault
  /** The keys that hash tokens and sign JWTs. */
  readonly keys: Keys
  /** The secret that the keys are derived from. */
  readonly secret: string
  /** The application itself, for `listen`. */
  readonly app: App
  /** The log's lines since the last call. */
  readonly takeLog: () => LogLine[]
  readonly close: () => Promise<void>
}

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly requestId?: string
  readonly [key: string]: unknown
}

/** The options that a test may change: the application's means, such as `introspection` or `corsOrigins`. */
export type OpenOptions = Partial<AppDependencies> & {
  /** The clock of sign-in links and sessions; milliseconds since 1970. */
  readonly now?: () => number
  /** The company's, whose JWTs are accepted besides Orrery's own. */
  readonly identityProvider?: IdentityProviderSettings
}

/** The whole application on a fresh database of the engine, without a socket. */
export async function startApp(engine: Engine, openOptions: OpenOptions = {}): Promise<TestApp> {
  return open(await createMigratedDatabase(engine), randomBytes(32).toString('hex'), openOptions)
}

/** Another instance of an application: the same database and the same secret. */
export const startBeside = ({ url, secret }: TestApp, openOptions: OpenOptions = {}): Promise<TestApp> =>
  open({ url, drop: () => Promise.resolve() }, secret, openOptions)

async function open(
  testDatabase: Pick<TestDatabase, 'url' | 'drop'>,
  secret: string,
  openOptions: OpenOptions,
): Promise<TestApp> {
  let statements: string[] = []
  const database = await openDatabase(testDatabase.url, {
    onQuery: (sql) => statements.push(sql),
    poolSize: 10,
  })
  const keys = deriveKeys(secret)
  const tokens = new Tokens(keys.tokenHash)
  const vault = new Vault(secret)
  const operator = systemOperator(database, vault)
  let lines: string[] = []
  const log = createLog('debug', { write: (line: string) => lines.push(line) })
  const now = () => openOptions.now?.() ?? Date.now()
  const uses = new CredentialUses({ operator, log, interval: null, now })
  const authenticate = authenticator({
    database,
    tokens,
    jwts: jwtVerifier(
      keys.jwt,
      openOptions.identityProvider ? identityProvider(openOptions.identityProvider, log) : null,
    ),
    credentials: credentials(operator),
    used: (credentialId) => {
      uses.used(credentialId)
    },
    opener: vault,
    now,
  })
  const signIns = new SignIns({ operator, tokens, now })
  const refusedSignIns = new RefusedSignIns({ operator, tokens, log, now })
  const presence = new Presence({ operator, log, interval: null })
  const app = createApp({
    authenticate,
    tokens,
    vault,
    log,
    live: new LiveClusters(database.changes, { log }),
    presence,
    signIns,
    refusedSignIns,
    expensive: new FairQueue({ running: 2, waitingOfOwner: 8, waiting: 64 }),
    strangers: new Strangers({ perSecond: 20, burst: 100, trustedProxies: [] }),
    places: new StreamPlaces({ ofNode: 4, ofPerson: 32, ofTenant: 20_000 }),
    spool: new Spool(tmpdir(), { ofOwner: 9, all: 66, memory: 32 * 1024 * 1024 }),
    bundleCache: bundleCache(operator),
    corsOrigins: [],
    introspection: 'authenticated',
    page: null,
    health: {
      checks: {
        database: async () => {
          await database.client.$queryRaw`SELECT 1`
        },
        migrations: () => Promise.resolve(),
      },
    },
    ...openOptions,
  })
  const fetchApp = (path: string, init?: RequestInit) => fetchFrom(app, path, init)
  const lifetime = 3600
  return {
    ...clientOf(fetchApp),
    operator: await mintJwt(keys.jwt, { role: 'operator' }, { subject: 'olga', lifetime }),
    tenantToken: (tenantId, role = 'admin') => mintJwt(keys.jwt, { role, tenantId }, { subject: 'tina', lifetime }),
    takeStatements() {
      const taken = statements
      statements = []
      return taken
    },
    async publish() {
      const log = app.log
      const { cluster } = database.client
      const where = { configVersion: { gt: cluster.fields.publishedConfigVersion } }
      for (const { id } of await cluster.findMany({ where })) await publishCluster({ scope: operator, vault, log }, id)
    },
    async flush() {
      await presence.flush()
      await uses.flush()
      await refusedSignIns.settled()
    },
    url: testDatabase.url,
    database,
    authenticate,
    operatorScope: operator,
    tokens,
    signIns,
    vault,
    keys,
    secret,
    app,
    takeLog() {
      const taken = lines
      lines = []
      return taken.map((line) => JSON.parse(line) as LogLine)
    },
    async close() {
      await refusedSignIns.settled()
      await database.close()
      await testDatabase.drop()
    },
  }
}
