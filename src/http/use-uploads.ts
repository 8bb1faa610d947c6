import { unauthenticated } from '../graphql/access.ts'
import type { GraphqlPlugin } from './graphql-plugin.ts'
import { paramsFromForm } from './upload-form.ts'
import { contentType } from './use-request-parsers.ts'

/**
 * Uploads of one file by the GraphQL multipart request specification. Only for callers that are signed in: nobody else
 * may make this server read megabytes.
 */
export function useUploads(): GraphqlPlugin {
  return {
    onRequestParse({ request, setRequestParser, serverContext }) {
      if (request.method !== 'POST' || contentType(request) !== 'multipart/form-data') return
      if (serverContext.session.kind === 'anonymous') throw unauthenticated()
      setRequestParser(paramsFromForm)
    },
  }
}
