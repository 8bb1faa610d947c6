import type { ExecutionResult } from 'graphql'
import type { Plugin } from 'graphql-yoga'

import type { Context } from '../../graphql/kit/context.ts'
import type { Call } from '../pipeline/call.ts'
import type { Frames } from '../pipeline/answer.ts'

/** What Yoga is handed with each request: the resolvers' context, and whose call it is. */
export interface ServerContext extends Context, Record<string, unknown> {
  readonly call: Call
  /** See Context; what compiles queries finds it out. */
  isMeasured: boolean
  /** A subscription's events, once it was let through; null where the answer is a document. */
  events: Frames | null
}

type Every = Plugin<ServerContext, ServerContext, object>

/**
 * A plugin of the GraphQL endpoint: each of its hooks is called on every request that gets so far. Yoga's other hooks are
 * about reading requests and writing answers, which the pipeline does.
 */
export type GraphqlPlugin = Pick<
  Every,
  | 'onPluginInit'
  | 'onSchemaChange'
  | 'onEnveloped'
  | 'onParse'
  | 'onValidate'
  | 'onContextBuilding'
  | 'onExecute'
  | 'onSubscribe'
>

/** A result, and how it is written where that is known already. */
export type Result = ExecutionResult & { readonly stringify?: () => string }
