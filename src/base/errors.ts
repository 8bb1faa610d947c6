import { type Fault, faults } from './faults.ts'
import type { IssueCode, ValidationIssue } from './issues.ts'

export type { ValidationIssue }

/**
 * The failures that a caller can cause. Each is a result that the API names in the mutation's union; every other error
 * is Orrery's own fault, masked and logged. Messages are written for the caller: they name the rule, never a secret.
 */
export abstract class CallerError extends Error {
  abstract override readonly name: string
  /** Where several changes are made in one call, the path to the one that failed; otherwise empty. */
  path: readonly string[] = []
}

/** The thing does not exist, or is not the caller's: the two look alike, so that callers cannot probe for ids. */
export class NotFoundError extends CallerError {
  override readonly name = 'NotFoundError'
  readonly resource: string

  constructor(resource: string) {
    super(`${resource} not found`)
    this.resource = resource
  }
}

/** What a caller wanted to replace, having seen it at another version of its cluster than the present one. */
export interface Outdated {
  readonly clusterId: string
  /** The node that it concerns; null where it concerns the cluster. */
  readonly nodeId: string | null
  /** The cluster's present version. */
  readonly configVersion: number
}

/** The request conflicts with the present state: a name that is taken, the last admin node. */
export class ConflictError extends CallerError {
  override readonly name = 'ConflictError'
  /** Null where the conflict is not about an outdated view of the cluster. */
  readonly outdated: Outdated | null

  constructor(message: string, outdated: Outdated | null = null) {
    super(message)
    this.outdated = outdated
  }
}

/** A limit of the product or of the network is reached: a full overlay, a bundle that is too large, a long queue. */
export class LimitError extends CallerError {
  override readonly name = 'LimitError'
  /** When the same request may succeed; null where time does not help. */
  readonly retryAfterSeconds: number | null

  constructor(message: string, retryAfterSeconds: number | null = null) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Concurrent changes of the same rows, or a lock on them, rolled the change back: it may succeed in a moment. */
export class BusyError extends CallerError {
  override readonly name = 'BusyError'
  readonly retryAfterSeconds = 1

  constructor(options?: ErrorOptions) {
    super('Others change the same at this moment, and nothing was changed: try again', options)
  }
}

/** A machine or a database keeps the server from doing what it was asked for; the same may succeed later. */
export class UnavailableError extends CallerError {
  override readonly name = 'UnavailableError'
  readonly fault: Fault
  readonly code: string
  readonly retryAfterSeconds: number

  constructor(fault: Fault, options?: ErrorOptions) {
    const { message, code, retryAfterSeconds } = faults[fault]
    super(message, options)
    this.fault = fault
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The input breaks rules: `issues` has every one that was found, and the first is the message. */
export class ValidationError extends CallerError {
  override readonly name = 'ValidationError'
  readonly issues: readonly ValidationIssue[]

  constructor(issues: readonly [ValidationIssue, ...ValidationIssue[]]) {
    const [first] = issues
    super(`${first.path.join('.')}: ${first.message}`)
    this.issues = issues
  }

  /** One broken rule. */
  static at(path: readonly string[], code: IssueCode, message: string): ValidationError {
    return new ValidationError([{ path, code, message }])
  }
}
