import { YogaServer } from 'graphql-yoga'
import type { GraphQLSchema } from 'graphql'

import type { Tokens } from '../auth/tokens.ts'
import type { FairQueue } from '../base/fair-queue.ts'
import type { Spool } from '../base/spool.ts'
import { Enrolments } from '../domain/enrolment.ts'
import type { LiveClusters } from '../domain/live/clusters.ts'
import type { Presence } from '../domain/presence.ts'
import type { Vault } from '../domain/vault.ts'
import { Loaders } from '../graphql/loaders.ts'
import { schema as orrerySchema } from '../graphql/schema.ts'
import { CompiledQueries } from './compiled-queries.ts'
import { documentCache, noErrorCache } from './document-cache.ts'
import type { Exchange } from './exchange.ts'
import { fastGraphql } from './fast-graphql.ts'
import type { FastRoute } from './fast-lane.ts'
import type { ContextOf, GraphqlPlugin, ServerContext } from './graphql-plugin.ts'
import { graphiqlPage, wantsPage } from './graphiql.ts'
import type { Route } from './router.ts'
import { useCsrf } from './use-csrf.ts'
import { useErrors } from './use-errors.ts'
import { useEventStreams } from './use-event-streams.ts'
import { useIntrospection, type Introspection } from './use-introspection.ts'
import { useLimits } from './use-limits.ts'
import { useRequestParsers } from './use-request-parsers.ts'
import type { StreamPlaces } from './stream-places.ts'
import type { Strangers } from './strangers.ts'
import { useStrangers } from './use-strangers.ts'
import { useUploads } from './use-uploads.ts'

export type { Introspection }

interface Means {
  readonly tokens: Tokens
  readonly vault: Vault
  readonly presence: Presence
  readonly introspection: Introspection
  readonly live: LiveClusters
  readonly expensive: FairQueue
  readonly strangers: Strangers
  readonly places: StreamPlaces
  readonly spool: Spool
  readonly plugins?: readonly GraphqlPlugin[]
  /** Orrery's own when absent. */
  readonly schema?: GraphQLSchema
}

/** `/graphql`: the API, and GraphiQL for whoever opens the address in a browser. */
export function graphqlRoutes({
  tokens,
  vault,
  presence,
  introspection,
  live,
  expensive,
  strangers,
  places,
  spool,
  plugins = [],
  schema = orrerySchema,
}: Means): {
  readonly route: Route
  readonly fast: FastRoute
} {
  const enrolments = new Enrolments({ tokens, vault })
  // Whole from the beginning: what plugins add to it later costs a tenth of a poll.
  const contextOf: ContextOf = (call, session, { isMeasured = false, hasFailed = false } = {}) => ({
    call,
    session,
    tokens,
    vault,
    enrolments,
    presence,
    live,
    expensive,
    left: () => call.left,
    isMeasured,
    hasFailed,
    loaders: new Loaders(),
    reauthentication: () => call.reauthentication(),
    // Part of what Yoga expects of an adapter: work that outlives its request. Nothing here leaves any.
    waitUntil: nothing,
  })
  const compiled = new CompiledQueries()
  // Without the adapter that createYoga puts around it: there is one around the whole application.
  const yoga = new YogaServer<ServerContext, object>({
    schema,
    plugins: [
      useRequestParsers(),
      useUploads(spool),
      useCsrf(),
      useStrangers(introspection, strangers),
      useLimits(),
      useIntrospection(introspection),
      compiled.plugin(),
      useErrors(),
      useEventStreams(places),
      ...plugins,
    ],
    // What Yoga would do by itself is done here or in the storey above: limits, masking, CORS, pages.
    maxRequestBodySize: false,
    maskedErrors: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    parserAndValidationCache: { documentCache: documentCache(), errorCache: noErrorCache },
  })
  const execute = async (exchange: Exchange): Promise<Response> => {
    try {
      return await yoga.handle(exchange.request, contextOf(exchange, await exchange.session()))
    } finally {
      await exchange.over()
    }
  }
  const route: Route = {
    path: '/graphql',
    methods: {
      GET: (exchange) => {
        if (!wantsPage(exchange.request)) return execute(exchange)
        exchange.countAsStranger()
        return graphiqlPage(exchange.request)
      },
      POST: execute,
    },
  }
  return { route, fast: fastGraphql({ yoga, compiled, contextOf }) }
}

const nothing = () => undefined
