import type { GraphqlPlugin } from './graphql-plugin.ts'
import { paramsFromAddress, paramsFromJson } from './params.ts'
import { refused } from './responses.ts'

/** Bytes of a JSON body; an upload has its own limit. */
export const jsonLimit = 100_000

/**
 * Where a GraphQL request comes from: the address of a GET, the JSON body of a POST, or a multipart form (use-uploads).
 * Other content types are refused. JSON is read here with its own limit: Yoga's own halves the speed.
 */
export function useRequestParsers(): GraphqlPlugin {
  return {
    onRequestParse({ request, url, setRequestParser }) {
      if (request.method === 'GET') setRequestParser(() => paramsFromAddress(url.searchParams))
      if (request.method !== 'POST') return
      const type = contentType(request)
      if (type === 'application/json' || type === 'application/graphql+json') {
        setRequestParser((posted) => paramsFromJson(posted, jsonLimit))
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
