import type { Plugin } from 'graphql-yoga'

import type { Session } from '../auth/session.ts'
import type { Context } from '../graphql/context.ts'
import type { Call } from './call.ts'

/** What Yoga is handed with each request, beside the request: the resolvers' context, and whose call it is. */
export interface ServerContext extends Context, Record<string, unknown> {
  readonly call: Call
  /** Whether the query was executed in its compiled form already, and is now to say what is wrong. */
  readonly hasFailed: boolean
  readonly waitUntil: () => void
}

/** Makes a call's context; what is known of its query is said where it was compiled before. */
export type ContextOf = (
  call: Call,
  session: Session,
  known?: Partial<Pick<ServerContext, 'isMeasured' | 'hasFailed'>>,
) => ServerContext

/** A plugin of the GraphQL endpoint. */
export type GraphqlPlugin = Plugin<ServerContext, ServerContext, object>
