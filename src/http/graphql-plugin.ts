import type { Plugin } from 'graphql-yoga'

import type { Session } from '../auth/session.ts'
import type { Context } from '../graphql/context.ts'
import type { Call } from './call.ts'

/** What Yoga is handed with each request, beside the request: the resolvers' context, and whose call it is. */
export interface ServerContext extends Context, Record<string, unknown> {
  readonly call: Call
  readonly waitUntil: () => void
}

/** Makes a call's context, of a query that was measured before or is measured now. */
export type ContextOf = (call: Call, session: Session, isMeasured: boolean) => ServerContext

/** A plugin of the GraphQL endpoint. */
export type GraphqlPlugin = Plugin<ServerContext, ServerContext, object>
