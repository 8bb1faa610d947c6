import { failure, type Answer } from './answer.ts'
import type { Call } from './call.ts'

/** The parts of a path that its pattern captured, by the names of the groups. */
export type PathParameters = Readonly<Record<string, string>>
type RouteHandler = (call: Call, parameters: PathParameters) => Answer | Promise<Answer>

/**
 * A path and its methods, e.g.
 * `{ path: /^\/clusters\/(?<id>[^/]+)$/, methods: { GET: (call, { id }) => … } }`.
 * `GET` also answers `HEAD`: the pipeline removes the body. A handler for signed-in callers must check
 * `call.session()`.
 */
export interface Route {
  /** The whole path, or a pattern of it with named groups. */
  readonly path: string | RegExp
  readonly methods: Readonly<Partial<Record<'GET' | 'POST', RouteHandler>>>
}

/** Answers what no route takes; null for a call that it does not take either. */
export type Otherwise = (call: Call) => Answer | null

/**
 * Finds the route of a call. If there is none, or if it lacks the method, `otherwise` may answer; what it does not take
 * is answered with 404, or 405 and `Allow`.
 */
export function router(
  routes: readonly Route[],
  otherwise: Otherwise = () => null,
): (call: Call) => Answer | Promise<Answer> {
  return (call) => {
    const { method, path: asked } = call
    if (asked === null) return failure(400, 'BAD_REQUEST', 'The address or the Host header is malformed.')
    for (const { path, methods } of routes) {
      const parameters = match(path, asked)
      if (!parameters) continue
      const { GET, POST } = methods
      if ((method === 'GET' || method === 'HEAD') && GET) return GET(call, parameters)
      if (method === 'POST' && POST) return POST(call, parameters)
      const other = otherwise(call)
      if (other) return other
      const allow = [...(GET ? ['GET', 'HEAD'] : []), ...(POST ? ['POST'] : [])].join(', ')
      return failure(405, 'METHOD_NOT_ALLOWED', `Here only ${allow} can be asked for.`, { headers: { allow } })
    }
    return otherwise(call) ?? failure(404, 'NOT_FOUND', 'There is nothing at this address.')
  }
}

const nothing: PathParameters = {}

function match(path: string | RegExp, asked: string): PathParameters | null {
  if (typeof path === 'string') return path === asked ? nothing : null
  const found = path.exec(asked)
  return found && { ...found.groups }
}
