import { _createLRUCache as createLRUCache, createYoga, type Plugin } from 'graphql-yoga'
import type { GraphQLSchema } from 'graphql'

import type { Session } from '../auth/session.ts'
import type { Tokens } from '../auth/tokens.ts'
import type { Vault } from '../domain/vault.ts'
import type { Context } from '../graphql/context.ts'
import { Loaders } from '../graphql/loaders.ts'
import { schema as orrerySchema } from '../graphql/schema.ts'
import type { Exchange } from './exchange.ts'
import { graphiqlPage, wantsPage } from './graphiql.ts'
import type { Route } from './router.ts'
import { useCsrf } from './use-csrf.ts'
import { useErrors } from './use-errors.ts'
import { useIntrospection, type Introspection } from './use-introspection.ts'
import { useLimits } from './use-limits.ts'
import { useRequestParsers } from './use-request-parsers.ts'
import { useUploads } from './use-uploads.ts'

export type { Introspection }

/** What Yoga is handed with each request, beside the request. */
export interface ServerContext extends Record<string, unknown> {
  readonly exchange: Exchange
  readonly session: Session
}

/** A plugin of this endpoint. */
export type GraphqlPlugin = Plugin<ServerContext, ServerContext, Context>

interface Means {
  readonly tokens: Tokens
  readonly vault: Vault
  readonly introspection: Introspection
  /** Orrery's own when absent. */
  readonly schema?: GraphQLSchema
}

/** Documents that are kept parsed and validated: those of real clients are few, and nobody shall fill the memory. */
const cachedDocuments = 200

/** `/graphql`: the API, and GraphiQL for whoever opens the address in a browser. */
export function graphqlRoute({ tokens, vault, introspection, schema = orrerySchema }: Means): Route {
  const yoga = createYoga<ServerContext, Context>({
    schema,
    context: ({ session }) => ({ session, tokens, vault, loaders: new Loaders() }),
    plugins: [useRequestParsers(), useUploads(), useCsrf(), useLimits(), useIntrospection(introspection), useErrors()],
    // What Yoga would do by itself is done here or in the storey above: limits, masking, CORS, pages.
    maxRequestBodySize: false,
    maskedErrors: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    healthCheckEndpoint: '/healthz',
    logging: false,
    parserAndValidationCache: {
      documentCache: createLRUCache({ max: cachedDocuments }),
      errorCache: createLRUCache({ max: cachedDocuments }),
    },
  })
  const execute = async (exchange: Exchange): Promise<Response> =>
    yoga.handleRequest(exchange.request, { exchange, session: await exchange.session() })
  return {
    path: '/graphql',
    methods: {
      GET: (exchange) => (wantsPage(exchange.request) ? graphiqlPage(exchange.request) : execute(exchange)),
      POST: execute,
    },
  }
}
