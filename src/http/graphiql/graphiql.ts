import { empty, type Answer } from '../pipeline/answer.ts'
import type { Call } from '../pipeline/call.ts'
import type { GraphiqlPage } from './graphiql-page.ts'

/** Whether a browser asks for a page. */
export const wantsPage = (call: Call): boolean => call.header('accept')?.includes('text/html') ?? false

let rendered: Promise<GraphiqlPage> | null = null

/**
 * GraphiQL in one complete answer: the page loads nothing from elsewhere. Its nine megabytes are loaded and rendered
 * for the first browser and then cached; browsers revalidate with the ETag.
 */
export async function graphiqlPage(call: Call): Promise<Answer> {
  const { renderPage } = await import('./graphiql-page.ts')
  const page = await (rendered ??= renderPage())
  const headers = { ...page.headers, etag: page.etag, 'cache-control': 'no-cache', vary: 'accept, accept-encoding' }
  if (call.header('if-none-match') === page.etag) return empty(304, headers)
  const zipped = /\bgzip\b/.test(call.header('accept-encoding') ?? '')
  return zipped
    ? { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, parts: [page.gzip] }
    : { status: 200, headers, parts: [page.html] }
}
