import type { ExecutionResult } from 'graphql'
import type { Plugin } from 'graphql-yoga'

import type { Context } from '../../graphql/kit/context.ts'
import type { Call } from '../pipeline/call.ts'
import type { Frames } from '../pipeline/answer.ts'

/** What Yoga gets with each request: the resolvers' context and the call. */
export interface ServerContext extends Context, Record<string, unknown> {
  readonly call: Call
  /** See Context; set by the plugin that compiles queries. */
  isMeasured: boolean
  /** The events of a subscription that was admitted; null when the answer is a document. */
  events: Frames | null
}

type Every = Plugin<ServerContext, ServerContext, object>

/**
 * A plugin of the GraphQL endpoint: each of its hooks is called for every request that reaches its stage. Yoga's other
 * hooks read requests and write answers, which the pipeline does instead.
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

/** A result, and how to serialize it if that is already known. */
export type Result = ExecutionResult & { readonly stringify?: () => string }
