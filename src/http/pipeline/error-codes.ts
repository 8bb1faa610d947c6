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

/** What is made of an error: shown with these extensions besides its own, or masked and its cause logged. */
export type Verdict =
  | { readonly kind: 'shown'; readonly extensions: Readonly<Record<string, unknown>> }
  | { readonly kind: 'masked'; readonly cause: unknown }

const shown = (extensions: Record<string, unknown> = {}): Verdict => ({ kind: 'shown', extensions })

/** How to answer a call that failed through no fault of its own. */
interface Transient {
  readonly status: 429 | 499 | 503
  readonly code: string
  readonly headers: Record<string, string>
  /** After which the same may go through; null where nobody waits. */
  readonly seconds: number | null
}

/** Whether an error says that the same may go through later (RFC 6585, 4; RFC 9110, 15.6.4), or that nobody reads an answer. */
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

/** Where descriptors are scarce, the connection of somebody who is sent away is one too many. */
function unavailable({ code, retryAfterSeconds, fault }: UnavailableError): Transient {
  const answer = later(503, code, retryAfterSeconds)
  const isScarce = fault === 'descriptors' || fault === 'streams'
  return isScarce ? { ...answer, headers: { ...answer.headers, connection: 'close' } } : answer
}

/** Decides whether an error is the caller's to see. What is not known to be is masked. */
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
  // A request that is none: 400 whatever media type is accepted. Yoga sends 200 to those that accept application/json.
  if (code === 'QUERY_TOO_COMPLEX' || code === 'BAD_REQUEST') {
    return shown({ http: { status: 400, ...asObject(error.extensions.http), spec: false } })
  }
  if (code !== undefined && error.extensions['unexpected'] !== true) return shown()
  // graphql-js itself: an error without a place in the result is about the request, one with a place about a resolver's value.
  return error.path === undefined ? shown({ code: 'BAD_REQUEST' }) : { kind: 'masked', cause }
}

/** A variable or argument that does not have its type's form. Scalars throw all kinds of errors to say so. */
const isCoercion = ({ nodes, path, message, extensions }: GraphQLError): boolean =>
  path === undefined
    ? nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION && extensions['code'] === undefined
    : message.startsWith('Argument "') && extensions['code'] === undefined

/** What was thrown at first: resolvers' errors are wrapped to say where in the result they happened. */
function causeOf(error: GraphQLError): unknown {
  let cause: unknown = error
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError
  return cause
}

const asObject = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})

/** Where a query, which has no union of errors, fails through its caller. */
function codeOf(error: CallerError): string {
  if (error instanceof ValidationError) return 'BAD_USER_INPUT'
  return error instanceof NotFoundError ? 'NOT_FOUND' : 'CONFLICT'
}
