import type { GraphQLSchema } from 'graphql'

import type { Authenticate } from '../auth/authenticate.ts'
import type { Tokens } from '../auth/tokens.ts'
import type { FairQueue } from '../base/limits/fair-queue.ts'
import type { Logger } from '../base/log.ts'
import type { Spool } from '../base/limits/spool.ts'
import type { RefusalBudget } from '../domain/audit/recorded.ts'
import type { BundleCache } from '../domain/bundles/read/bundle-cache.ts'
import type { LiveClusters } from '../domain/live/clusters.ts'
import type { Presence } from '../domain/presence/presence.ts'
import type { RefusedSignIns } from '../domain/tenants/refused-sign-ins.ts'
import type { SignIns } from '../domain/tenants/sign-ins.ts'
import type { Vault } from '../domain/pki/vault.ts'
import type { FinishedAnswer } from './pipeline/answer.ts'
import { adminPage } from './page/admin-page.ts'
import type { PageFiles } from './page/page-files.ts'
import { bundleRoutes } from './routes/bundles.ts'
import { Call } from './pipeline/call.ts'
import type { GraphqlPlugin } from './graphql/graphql-plugin.ts'
import { graphqlRoute, type Introspection } from './graphql/graphql.ts'
import { healthRoutes, type Health } from './routes/health.ts'
import type { Incoming } from './pipeline/incoming.ts'
import { pipeline } from './pipeline/pipeline.ts'
import { router } from './pipeline/router.ts'
import { signInRoutes } from './routes/sign-ins.ts'
import type { StreamPlaces } from './live/stream-places.ts'
import type { Strangers } from './pipeline/strangers.ts'

/** The parts of the application, which main and the tests provide. */
export interface AppDependencies {
  readonly authenticate: Authenticate
  readonly tokens: Tokens
  readonly vault: Vault
  readonly log: Logger
  /** The streams of cluster changes; they end with the application. */
  readonly live: LiveClusters
  /** Notes each node that makes a request. */
  readonly presence: Presence
  /** Decoded bundles, from which nodes get their slices. */
  readonly bundleCache: BundleCache
  /** Web pages of these origins may call this server; empty by default. */
  readonly corsOrigins: readonly string[]
  /** The queue in which expensive work waits for its tenant's turn. */
  readonly expensive: FairQueue
  /** Counts requests of callers that are not signed in. */
  readonly strangers: Strangers
  /** Begins and ends sessions of people. */
  readonly signIns: SignIns
  /** Records sign-in links and access tokens that are refused. */
  readonly refusedSignIns: Pick<RefusedSignIns, 'note'>
  /** Counts open streams. */
  readonly places: StreamPlaces
  /** Stores uploads that wait for their turn. */
  readonly spool: Spool
  /** Who may read the GraphQL schema. */
  readonly introspection: Introspection
  readonly health: Health
  /** The files of the admin page; null when it was not built. */
  readonly page: PageFiles | null
  /** Plugins of the GraphQL endpoint, after its own. */
  readonly plugins?: readonly GraphqlPlugin[]
  /** Orrery's own when absent. */
  readonly schema?: GraphQLSchema
  /** How many refusals of each caller are recorded; a budget of the endpoint's own when absent. */
  readonly refusals?: RefusalBudget
}

/** The whole application without a socket: `listen` serves it on one, and tests call it in the same way. */
export interface App {
  /** Begins a call. The owner of the connection must report on it when the client leaves. */
  receive(request: Incoming): Call
  /** The answer to a call; never rejects. */
  answer(call: Call): Promise<FinishedAnswer>
  /** From now on `/readyz` reports that this instance is stopping; streams end. */
  stop(): void
  readonly log: Logger
}

/** Puts the application together. */
export function createApp(dependencies: AppDependencies): App {
  let isStopping = false
  const routes = [
    graphqlRoute(dependencies),
    ...bundleRoutes(dependencies),
    ...signInRoutes(dependencies),
    ...healthRoutes(dependencies.health, { isStopping: () => isStopping, log: dependencies.log }),
  ]
  const route = router(routes, adminPage(dependencies.page))
  return {
    receive: (request) => new Call(request, dependencies),
    answer: pipeline({ ...dependencies, route }),
    stop() {
      isStopping = true
      dependencies.live.stop()
    },
    log: dependencies.log,
  }
}
