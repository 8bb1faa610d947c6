import type { Traffic } from './load.ts'
import { requestBytes } from './requests.ts'

/** A caller: its token, and its values for the query's variables. */
export interface Caller {
  readonly token: string
  readonly variables?: object
}

/** Marks of a failed GraphQL answer; when a mutation's result is an error, its message was requested. */
const failureMarks = { query: '"errors"', mutation: '"message"' }

/** The bytes of one caller's GraphQL request. */
export const graphqlBytes = (query: string, { token, variables = {} }: Caller, path = '/graphql'): Buffer =>
  requestBytes({ path, token, body: { query, variables } })

/** Callers that send the same query, one after the other. */
export const graphqlTraffic = (query: string, callers: readonly Caller[], path?: string): Traffic => ({
  requests: callers.map((caller) => graphqlBytes(query, caller, path)),
  expectedStatus: 200,
  failureMark: failureMarks[query.startsWith('mutation') ? 'mutation' : 'query'],
})

/** Nodes that fetch their bundle; nodes that have it already (`known`, its ETag) must learn that nothing is new. */
export const bundleTraffic = (nodes: readonly Caller[], known: string | null, path = '/bundle'): Traffic => ({
  requests: nodes.map(({ token }) =>
    requestBytes({ path, token, headers: known === null ? {} : { 'if-none-match': known } }),
  ),
  expectedStatus: known === null ? 200 : 304,
  failureMark: null,
})
