import type { GraphqlPlugin } from './graphql-plugin.ts'
import { refused } from './responses.ts'
import { contentType } from './use-request-parsers.ts'

const header = 'x-orrery-csrf'

/**
 * A page of any origin can make its visitor's browser send a GET or a form without asking the server first. Those two
 * therefore need a header (any value) that such a page cannot set without the CORS preflight, which only listed
 * origins pass. JSON bodies are always preflighted (Fetch standard, CORS-safelisted request headers).
 */
export function useCsrf(): GraphqlPlugin {
  return {
    onRequestParse({ request }) {
      const preflighted = request.method === 'POST' && contentType(request)?.startsWith('application/')
      if (preflighted || request.headers.has(header)) return
      throw refused(403, 'CSRF_HEADER_MISSING', `This request needs the header ${header} (with any value).`)
    },
  }
}
