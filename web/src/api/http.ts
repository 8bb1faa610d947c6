import { ApiError, SessionEnded } from './errors.ts'
import { sessionState } from './session-state.ts'

/** The header that no foreign page can send: without it, the server ignores the cookie. */
const own = { 'x-orrery-client': 'web' }

interface Sent {
  readonly method?: 'GET' | 'POST'
  readonly accept?: string
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

/** Asks the server with the session's cookie. */
export async function send(path: string, { method = 'POST', accept = 'application/json', body, signal }: Sent) {
  try {
    return await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: { ...own, accept, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new ApiError('The server does not answer.', 'OFFLINE')
  }
}

interface Failure {
  readonly message: string
  readonly extensions?: { readonly code?: string }
}

interface Body {
  readonly data?: unknown
  readonly errors?: readonly Failure[]
}

/** The body of an answer as JSON. An answer of a proxy in between may be something else. */
export async function bodyOf(response: Response): Promise<Body> {
  try {
    return (await response.json()) as Body
  } catch {
    throw new ApiError(`The server answered ${response.status}.`, 'NOT_JSON')
  }
}

/** Throws what an answer reports. An ended session is told to the page, which asks to sign in again. */
export function assertAnswered({ errors }: Body): void {
  const [first] = errors ?? []
  if (first === undefined) return
  const code = first.extensions?.code ?? 'UNKNOWN'
  if (code === 'UNAUTHENTICATED') {
    sessionState.end()
    throw new SessionEnded()
  }
  throw new ApiError(first.message, code)
}
