import type { GraphQLParams } from 'graphql-yoga'

import { readBody } from './body.ts'
import type { GraphqlPlugin } from './graphql.ts'
import { refused } from './responses.ts'

/** In bytes; an upload has its own limit. */
const jsonLimit = 100_000

const text = new TextDecoder('utf-8', { fatal: true })
const badRequest = (message: string) => refused(400, 'BAD_REQUEST', message)

/**
 * Where a GraphQL request comes from: the address of a GET, the JSON body of a POST, or a multipart form (use-uploads).
 * Other content types are refused. JSON is read here with its own limit: Yoga's own halves the speed.
 */
export function useRequestParsers(): GraphqlPlugin {
  return {
    onRequestParse({ request, url, setRequestParser }) {
      if (request.method === 'GET') {
        setRequestParser(() => fromAddress(url.searchParams))
        return
      }
      const type = contentType(request)
      if (type === 'application/json' || type === 'application/graphql+json') {
        setRequestParser(fromJson)
      } else if (type !== 'multipart/form-data') {
        throw refused(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send GraphQL requests as application/json.')
      }
      const encoding = request.headers.get('content-encoding') ?? 'identity'
      if (encoding !== 'identity') throw refused(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the body uncompressed.')
    },
  }
}

/** The media type without its parameters, in lower case. */
export const contentType = (request: Request): string | undefined =>
  request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()

async function fromJson(request: Request): Promise<GraphQLParams> {
  const body = await readBody(request, jsonLimit)
  if (body.byteLength === 0) throw badRequest('The request has no body.')
  let decoded
  try {
    decoded = text.decode(body)
  } catch {
    // TextDecoder says nothing more than that.
    throw badRequest('The body is not UTF-8.')
  }
  return asParams(parseJson(decoded, 'The body'))
}

/** Takes one operation; a list of them is refused. */
export function asParams(value: unknown): GraphQLParams {
  if (Array.isArray(value)) throw badRequest('Batching is off: send each operation as a request of its own.')
  if (typeof value !== 'object' || value === null) throw badRequest('A JSON object with a `query` is needed.')
  return value
}

function fromAddress(search: URLSearchParams): GraphQLParams {
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

export function parseJson(value: string, what: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    throw badRequest(`${what} is no valid JSON.`)
  }
}
