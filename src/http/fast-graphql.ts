import type { IncomingMessage } from 'node:http'

import {
  getOperationAST,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql'
import { isAsyncIterable, processRegularResult, type YogaServer } from 'graphql-yoga'

import type { Session } from '../auth/session.ts'
import { isSignedIn } from '../graphql/access.ts'
import type { Call } from './call.ts'
import type { CompiledQueries } from './compiled-queries.ts'
import type { FastAnswer, FastRoute } from './fast-lane.ts'
import type { ContextOf, ServerContext } from './graphql-plugin.ts'
import { operationIn, type Operation } from './operation.ts'
import { fetchApi } from './responses.ts'
import { asGraphqlError, withPresentedErrors } from './use-errors.ts'
import { jsonLimit } from './use-request-parsers.ts'
import { withSecurityHeaders } from './use-security-headers.ts'

type Yoga = YogaServer<ServerContext, object>

interface Means {
  readonly yoga: Yoga
  readonly compiled: CompiledQueries
  readonly contextOf: ContextOf
}

/**
 * Queries and mutations that are posted as JSON, past Yoga's way with requests and answers. Compiled queries went through
 * its plugins before; all others go through them here (envelop). Whatever fails before it is executed, and
 * subscriptions, take the usual way.
 */
export const fastGraphql = ({ yoga, compiled, contextOf }: Means): FastRoute => ({
  body: true,
  takes: isPlain,
  async answer({ request, call }, body) {
    const operation = operationIn(body)
    if (!operation) return null
    const session = await call.session()
    // The usual way says what is missing, without parsing anything.
    if (!isSignedIn(session)) return null
    const again = await compiled.run(operation, session, (isMeasured) => contextOf(call, session, { isMeasured }))
    const { wasTried: hasFailed } = again
    const result = again.result ?? (await execute(yoga, operation, contextOf(call, session, { hasFailed })))
    return result && answerOf(result, mediaTypeOf(request) ?? 'application/json', { call, session })
  },
})

function isPlain(request: IncomingMessage): boolean {
  const { method, url, headers } = request
  return (
    method === 'POST' &&
    url === '/graphql' &&
    /^application\/json(?:; ?charset=utf-8)?$/i.test(headers['content-type'] ?? '') &&
    headers['content-encoding'] === undefined &&
    // Announced, and within the limit; others are counted while they are read.
    Number(headers['content-length']) <= jsonLimit &&
    mediaTypeOf(request) !== null
  )
}

type MediaType = 'application/json' | 'application/graphql-response+json'

/** The media type of the answer, where the client names one or none; null where it is choosy. */
function mediaTypeOf({ headers: { accept = '*/*' } }: IncomingMessage): MediaType | null {
  if (accept === '*/*' || accept === 'application/json') return 'application/json'
  return accept === 'application/graphql-response+json' ? accept : null
}

interface Caller {
  readonly call: Call
  readonly session: Session
}

/** Executes an operation; null when it was not: it is none, is not valid, or is a subscription. */
async function execute(
  yoga: Yoga,
  { query, variables, operationName }: Operation,
  context: ServerContext,
): Promise<ExecutionResult | null> {
  const params = { query, variables, operationName }
  // Yoga's plugins look for a request only where there is one.
  const enveloped = yoga.getEnveloped(Object.assign(context, { params }))
  const schema = enveloped.schema as GraphQLSchema
  const document = parsedDocument(enveloped.parse, query)
  if (!document || (enveloped.validate(schema, document) as readonly unknown[]).length > 0) return null
  const operation = getOperationAST(document, operationName)
  if (!operation || operation.operation === OperationTypeNode.SUBSCRIPTION) return null
  const contextValue: unknown = await enveloped.contextFactory()
  try {
    const args = { schema, document, contextValue, variableValues: variables, operationName }
    const result: unknown = await enveloped.execute(args)
    if (isAsyncIterable(result)) throw new Error('an operation that is no subscription gave a stream')
    return result as ExecutionResult
  } catch (error) {
    return { errors: [asGraphqlError(error)] }
  }
}

function parsedDocument(parse: (source: string) => unknown, query: string): DocumentNode | null {
  try {
    return parse(query) as DocumentNode
  } catch {
    // It is parsed once more on the usual way, which says what is wrong with it.
    return null
  }
}

/** What Yoga makes of a result; the bytes of one without errors are plain enough to be written here. */
function answerOf(result: ExecutionResult, mediaType: MediaType, caller: Caller): FastAnswer | Response {
  if (result.errors) return processRegularResult(withPresentedErrors(result, caller), fetchApi, mediaType)
  const text = JSON.stringify(result)
  const own = ['content-length', String(Buffer.byteLength(text))]
  return { status: 200, head: heads[mediaType], own, parts: [text] }
}

const headOf = (type: MediaType) => withSecurityHeaders({ 'content-type': `${type}; charset=utf-8` })
const heads: Readonly<Record<MediaType, readonly string[]>> = {
  'application/json': headOf('application/json'),
  'application/graphql-response+json': headOf('application/graphql-response+json'),
}
