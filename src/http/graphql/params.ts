import { readJson } from '../../base/json.ts'
import { badRequest, refused } from '../pipeline/refusals.ts'

/** The parameters of a GraphQL request, however they were sent (GraphQL over HTTP, 5.1). */
export interface Params {
  readonly query: string
  readonly variables: Record<string, unknown> | undefined
  readonly operationName: string | undefined
}

/** The largest JSON body, and the largest operation in a form, in bytes. */
export const jsonLimit = 100_000

const names = new Set(['query', 'variables', 'operationName', 'extensions'])

/**
 * Checks the parameters of one operation; a list of operations is refused.
 * @throws GraphQLError that says what is wrong
 */
export function asParams(value: unknown): Params {
  if (Array.isArray(value)) throw badRequest('Batching is off: send each operation as a request of its own.')
  if (typeof value !== 'object' || value === null) throw badRequest('A JSON object with a `query` is needed.')
  const given = value as Readonly<Record<string, unknown>>
  for (const name in given) {
    if (names.has(name) || given[name] === null) continue
    throw badRequest(`Unexpected parameter "${name}" in the request body.`)
  }
  const { query, operationName } = given
  if (query === undefined || query === null) throw badParams('Must provide query string.')
  if (typeof query !== 'string') {
    throw badParams(`Expected "query" param to be a string, but given ${kindOf(query)}.`)
  }
  const variables = objectIn(given, 'variables')
  objectIn(given, 'extensions')
  return { query, variables, operationName: nameIn(operationName) }
}

/** Some clients send an empty name for no name. A value that is not a text becomes a name that no operation has. */
function nameIn(given: unknown): string | undefined {
  if (given === undefined || given === null || given === '') return undefined
  return typeof given === 'string' ? given : JSON.stringify(given)
}

function objectIn(given: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> | undefined {
  const value = given[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  throw badParams(`Expected "${name}" param to be empty or an object, but given ${kindOf(value)}.`)
}

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value)

const badParams = (message: string) => refused(400, 'BAD_REQUEST', message, { allow: 'GET, POST' })

/** @param what names the text in the error message */
export function parseJson(json: string, what: string): unknown {
  const value = readJson(json)
  if (value === undefined) throw badRequest(`${what} is no valid JSON.`)
  return value
}
