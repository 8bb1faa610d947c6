import type { Plugin } from 'graphql-yoga'

import type { Session } from '../auth/session.ts'
import type { Context } from '../graphql/context.ts'
import type { Call } from './call.ts'

/** What Yoga is handed with each request, beside the request. */
export interface ServerContext extends Record<string, unknown> {
  readonly call: Call
  readonly session: Session
}

/** A plugin of the GraphQL endpoint. */
export type GraphqlPlugin = Plugin<ServerContext, ServerContext, Context>

/** Part of what Yoga expects of an adapter: work that outlives its request. Nothing here leaves any. */
export const waitUntil = () => undefined
