import { budgetOf } from '../auth/session.ts'
import type { Spool } from '../base/spool.ts'
import { accessOf, callerOf, refusalFor } from '../graphql/access.ts'
import type { GraphqlPlugin } from './graphql-plugin.ts'
import { paramsFromForm } from './upload-form.ts'
import { contentType } from './use-request-parsers.ts'

/**
 * Uploads of one file by the GraphQL multipart request specification. Only from those who may change a cluster, since
 * nothing else is done with files: nobody else makes this server hold megabytes.
 */
export function useUploads(spool: Spool): GraphqlPlugin {
  return {
    onRequestParse({ request, setRequestParser, serverContext }) {
      if (request.method !== 'POST' || contentType(request) !== 'multipart/form-data') return
      if (!accessOf(serverContext).clusterWriter) throw refusalFor(serverContext)
      const content = spool.open(budgetOf(callerOf(serverContext)))
      serverContext.call.whenOver(() => content.close())
      setRequestParser((posted) => paramsFromForm(posted, content))
    },
  }
}
