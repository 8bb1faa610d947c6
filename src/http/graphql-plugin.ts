import type { Plugin } from 'graphql-yoga'

import type { Session } from '../auth/session.ts'
import type { Context } from '../graphql/context.ts'
import type { Exchange } from './exchange.ts'

/** What Yoga is handed with each request, beside the request. */
export interface ServerContext extends Record<string, unknown> {
  readonly exchange: Exchange
  readonly session: Session
}

/** A plugin of the GraphQL endpoint. */
export type GraphqlPlugin = Plugin<ServerContext, ServerContext, Context>
