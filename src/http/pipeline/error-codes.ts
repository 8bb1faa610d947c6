import { GraphQLError, Kind } from 'graphql'

import {
  BusyError,
  CallerError,
  LimitError,
  NotFoundError,
  UnavailableError,
  ValidationError,
} from '../../base/errors.ts'
import { AbandonedError } from '../../base/limits/fair-queue.ts'

/** How an error is presented: shown with these extensions besides its own, or masked with its cause logged. */
export type Verdict =
  | { readonly kind: 'shown'; readonly extensions: Readonly<Record<string, unknown>> }
  | { readonly kind: 'masked'; readonly cause: unknown }

const shown = (extensions: Record<string, unknown> = {}): Verdict => ({ kind: 'shown', extensions })

/** How to answer a call that failed for a reason that may pass. */
interface Transient {
  readonly status: 429 | 499 | 503
  readonly code: string
  readonly headers: Record<string, string>
  /** After how many seconds the same request may succeed; null when the client has left. */
  readonly seconds: number | null
}

/**
 * The answer to an error that says that the same request may succeed later (RFC 6585, 4; RFC 9110, 15.6.4) or that the
 * client has left; null for other errors.
 */
export function transientOf(error: unknown): Transient | null {
  if (error instanceof LimitError && error.retryAfterSeconds !== null) {
    return later(429, 'TOO_MANY_REQUESTS', error.retryAfterSeconds)
  }
  if (error instanceof BusyError) return later(503, 'TRY_AGAIN', error.retryAfterSeconds)
  if (error instanceof UnavailableError) return unavailable(error)
  if (!(error instanceof AbandonedError)) return null
  return { status: 499, code: 'CLIENT_CLOSED_REQUEST', headers: {}, seconds: null }
}

const later = (status: 429 | 503, code: string, seconds: number): Transient => {
  return { status, code, headers: { 'retry-after': String(seconds) }, seconds }
}

/** When file descriptors are scarce, the connection of a refused client is closed, too. */
function unavailable({ code, retryAfterSeconds, fault }: UnavailableError): Transient {
  const answer = later(503, code, retryAfterSeconds)
  const isScarce = fault === 'descriptors' || fault === 'streams'
  return isScarce ? { ...answer, headers: { ...answer.headers, connection: 'close' } } : answer
}

/** Decides whether the caller may see an error. Unknown errors are masked. */
export function classify(error: GraphQLError): Verdict {
  if (isCoercion(error)) return shown({ code: 'BAD_USER_INPUT', http: { spec: true, status: 400 } })
  const cause = causeOf(error)
  const transient = transientOf(cause)
  if (transient) {
    const { code, seconds, ...http } = transient
    return shown({ code, ...(seconds === null ? {} : { retryAfterSeconds: seconds }), http: { ...http, spec: false } })
  }
  if (cause instanceof CallerError) return shown({ code: codeOf(cause) })
  if (!(cause instanceof GraphQLError)) return { kind: 'masked', cause }
  const { code } = error.extensions
  // An invalid request: 400 for every accepted media type. Yoga would send 200 to clients that accept application/json.
  if (code === 'QUERY_TOO_COMPLEX' || code === 'BAD_REQUEST') {
    return shown({ http: { status: 400, ...asObject(error.extensions.http), spec: false } })
  }
  if (code !== undefined && error.extensions['unexpected'] !== true) return shown()
  // Thrown by graphql-js: without a path it concerns the request, with a path the value of a resolver.
  return error.path === undefined ? shown({ code: 'BAD_REQUEST' }) : { kind: 'masked', cause }
}

/** Whether a variable or argument does not fit its type. Scalars throw errors of many kinds for that. */
const isCoercion = ({ nodes, path, message, extensions }: GraphQLError): boolean =>
  path === undefined
    ? nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION && extensions['code'] === undefined
    : message.startsWith('Argument "') && extensions['code'] === undefined

/** The original error: graphql-js wraps the errors of resolvers to add their path. */
function causeOf(error: GraphQLError): unknown {
  let cause: unknown = error
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError
  return cause
}

const asObject = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})

/** The code of a caller's error in a query, which has no union of errors. */
function codeOf(error: CallerError): string {
  if (error instanceof ValidationError) return 'BAD_USER_INPUT'
  return error instanceof NotFoundError ? 'NOT_FOUND' : 'CONFLICT'
}
