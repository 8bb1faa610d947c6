import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type GraphQLSchema,
  type ExecutionResult,
} from 'graphql'
import { isAsyncIterable, YogaServer } from 'graphql-yoga'

import type { Spool } from '../../base/limits/spool.ts'
import { isSignedIn } from '../../graphql/kit/access.ts'
import { schema as orrerySchema } from '../../graphql/schema.ts'
import { wantsCost, withCost } from './bounds/cost.ts'
import { asGraphqlError } from './errors.ts'
import type { GraphqlPlugin, Result, ServerContext } from './graphql-plugin.ts'
import type { Params } from './params.ts'
import { readParams, type BodyAhead } from './read-params.ts'
import { refused } from '../pipeline/refusals.ts'
import { StrangersDocuments } from './strangers-documents.ts'
import type { StreamPlaces } from '../live/stream-places.ts'
import type { Strangers } from '../pipeline/strangers.ts'
import { useEventStreams } from '../live/use-event-streams.ts'
import { useIntrospection, type Introspection } from './use-introspection.ts'
import { useKnownDocuments } from './use-known-documents.ts'
import type { Frames } from '../pipeline/answer.ts'

interface Dependencies {
  readonly introspection: Introspection
  readonly strangers: Strangers
  readonly places: StreamPlaces
  readonly spool: Spool
  readonly plugins?: readonly GraphqlPlugin[]
  /** Orrery's own when absent. */
  readonly schema?: GraphQLSchema
}

/**
 * The only way from a call to its result, however the operation was sent: it is read here, and Yoga's plugins parse,
 * validate and execute it. A failure on the way becomes an error of the result.
 */
export function performer(
  dependencies: Dependencies,
): (context: ServerContext, ahead: BodyAhead) => Promise<Result | Frames> {
  const { spool } = dependencies
  const strangers = new StrangersDocuments(dependencies.introspection, dependencies.strangers)
  const yoga = yogaOf(dependencies)
  return async (context, ahead) => {
    const { call } = context
    try {
      const params = await readParams(context, ahead, spool)
      const answered = strangers.answer(params, context)
      if (answered) return answered
      const enveloped = yoga.getEnveloped(context)
      const schema = enveloped.schema as GraphQLSchema
      const document = parsed(enveloped.parse, params.query)
      const operation = operationOf(document, params, call.method)
      const errors = enveloped.validate(schema, document) as readonly GraphQLError[]
      if (errors.length > 0) return { errors }
      const contextValue: unknown = await enveloped.contextFactory()
      const run = operation === OperationTypeNode.SUBSCRIPTION ? enveloped.subscribe : enveloped.execute
      const { variables: variableValues, operationName } = params
      const result: unknown = await run({ schema, document, contextValue, variableValues, operationName })
      if (context.events) return context.events
      if (isAsyncIterable(result)) throw new Error('an operation that is no subscription gave a stream')
      if (!isSignedIn(context.session)) strangers.remember(params, document, result as ExecutionResult)
      if (wantsCost(context))
        return withCost(result as ExecutionResult, { schema, document, operationName, variables: variableValues })
      return result as ExecutionResult
    } catch (error) {
      return { errors: [asGraphqlError(error)] }
    } finally {
      const last = call.over()
      if (last) await last
    }
  }
}

/** Combines the plugins. All else that Yoga could do is off, because the pipeline does it. */
function yogaOf({ places, introspection, plugins = [], schema = orrerySchema }: Dependencies) {
  const own: GraphqlPlugin[] = [useKnownDocuments(), useEventStreams(places), useIntrospection(introspection)]
  return new YogaServer<ServerContext, object>({
    schema,
    plugins: [...own, ...plugins],
    parserAndValidationCache: false,
    maxRequestBodySize: false,
    maskedErrors: false,
    multipart: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
  })
}

function parsed(parse: (text: string) => unknown, text: string): DocumentNode {
  try {
    return parse(text) as DocumentNode
  } catch (error) {
    if (!(error instanceof GraphQLError) || error.extensions['code'] !== undefined) throw error
    const { message, nodes = null, source = null, positions = null } = error
    const extensions = { code: 'GRAPHQL_PARSE_FAILED', http: { spec: true, status: 400 } }
    throw new GraphQLError(message, { nodes, source, positions, extensions })
  }
}

/** The kind of the requested operation. A GET may not mutate: a page of any origin can make a browser send one. */
function operationOf(document: DocumentNode, { operationName }: Params, method: string) {
  const operation = getOperationAST(document, operationName)?.operation
  if (operation === undefined) {
    throw new GraphQLError('Could not determine what operation to execute.', {
      extensions: { code: 'OPERATION_RESOLUTION_FAILURE', http: { status: 400 } },
    })
  }
  if (operation === OperationTypeNode.MUTATION && method === 'GET') {
    throw refused(405, 'BAD_REQUEST', 'Can only perform a mutation operation from a POST request.', { allow: 'POST' })
  }
  return operation
}
