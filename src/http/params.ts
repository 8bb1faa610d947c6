import type { GraphQLParams } from 'graphql-yoga'

import { readBody } from './body.ts'
import { refused } from './responses.ts'

export const badRequest = (message: string) => refused(400, 'BAD_REQUEST', message)

const text = new TextDecoder('utf-8', { fatal: true })

/** The operation in a POST's JSON body of at most `limit` bytes. */
export async function paramsFromJson(request: Request, limit: number): Promise<GraphQLParams> {
  const body = await readBody(request, limit)
  if (body.byteLength === 0) throw badRequest('The request has no body.')
  return asParams(parseJson(decode(body), 'The body'))
}

/** The operation in a GET's address (GraphQL over HTTP, 6.2). */
export function paramsFromAddress(search: URLSearchParams): GraphQLParams {
  const params: GraphQLParams = {}
  for (const name of ['query', 'operationName'] as const) {
    const value = search.get(name)
    if (value) params[name] = value
  }
  for (const name of ['variables', 'extensions'] as const) {
    const value = search.get(name)
    // Yoga checks that they are objects.
    if (value) params[name] = parseJson(value, `\`${name}\``) as Record<string, unknown>
  }
  return params
}

/** Takes one operation; a list of them is refused. */
export function asParams(value: unknown): GraphQLParams {
  if (Array.isArray(value)) throw badRequest('Batching is off: send each operation as a request of its own.')
  if (typeof value !== 'object' || value === null) throw badRequest('A JSON object with a `query` is needed.')
  return value
}

export function parseJson(json: string, what: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    throw badRequest(`${what} is no valid JSON.`)
  }
}

function decode(body: Uint8Array): string {
  try {
    return text.decode(body)
  } catch {
    // TextDecoder says nothing more than that.
    throw badRequest('The body is not UTF-8.')
  }
}
