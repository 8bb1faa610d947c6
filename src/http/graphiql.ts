import type { GraphiqlPage } from './graphiql-page.ts'
import { Response } from './responses.ts'

/** Whether a browser asks for something to look at. */
export const wantsPage = (request: Request): boolean => request.headers.get('accept')?.includes('text/html') ?? false

let rendered: Promise<GraphiqlPage> | null = null

/**
 * GraphiQL, whole in one answer: nothing is fetched from elsewhere. Nine megabytes are loaded and rendered when the
 * first browser asks, and kept; browsers ask again with the ETag.
 */
export async function graphiqlPage(request: Request): Promise<Response> {
  const { renderPage } = await import('./graphiql-page.ts')
  const page = await (rendered ??= renderPage())
  const headers = { ...page.headers, etag: page.etag, 'cache-control': 'no-cache', vary: 'accept, accept-encoding' }
  if (request.headers.get('if-none-match') === page.etag) return new Response(null, { status: 304, headers })
  const zipped = /\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')
  return new Response(zipped ? page.gzip : page.html, {
    headers: zipped ? { ...headers, 'content-encoding': 'gzip' } : headers,
  })
}
