import type { Exchange, Handler } from './exchange.ts'
import { failure, Response } from './responses.ts'

/** What a path's pattern caught, by the names of its groups. */
export type PathParameters = Readonly<Record<string, string>>
type RouteHandler = (exchange: Exchange, parameters: PathParameters) => Response | Promise<Response>

/**
 * An address and what may be done with it, e.g.
 * `{ path: /^\/clusters\/(?<id>[^/]+)$/, methods: { GET: (exchange, { id }) => … } }`.
 * `GET` answers `HEAD` too. A handler that is for signed-in callers asks `exchange.session()`.
 */
export interface Route {
  /** The whole path, or a pattern of it with named groups. */
  readonly path: string | RegExp
  readonly methods: Readonly<Partial<Record<'GET' | 'POST', RouteHandler>>>
}

/** Finds the route of a request; 404 where there is none, 405 with `Allow` where it has no such method. */
export function router(routes: readonly Route[]): Handler {
  return async (exchange) => {
    const { method } = exchange.request
    for (const { path, methods } of routes) {
      const parameters = match(path, exchange.url.pathname)
      if (!parameters) continue
      const { GET, POST } = methods
      if (method === 'HEAD' && GET) return withoutBody(await GET(exchange, parameters))
      if (method === 'GET' && GET) return GET(exchange, parameters)
      if (method === 'POST' && POST) return POST(exchange, parameters)
      const allow = [...(GET ? ['GET', 'HEAD'] : []), ...(POST ? ['POST'] : [])].join(', ')
      return failure(405, 'METHOD_NOT_ALLOWED', `Here only ${allow} can be asked for.`, { headers: { allow } })
    }
    return failure(404, 'NOT_FOUND', 'There is nothing at this address.')
  }
}

function match(path: string | RegExp, pathname: string): PathParameters | null {
  if (typeof path === 'string') return path === pathname ? {} : null
  const found = path.exec(pathname)
  return found && { ...found.groups }
}

async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel()
  return new Response(null, { status: response.status, headers: response.headers })
}
