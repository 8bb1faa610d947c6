import { type Fault, faults } from './faults.ts'

/**
 * The failures a caller can cause. Each is a result the API names in the mutation's union; whatever is not one of these
 * is a fault of ours, masked and logged. Messages are written for the caller: they name the rule, never a secret.
 */
export abstract class CallerError extends Error {
  abstract override readonly name: string
}

/** The thing does not exist, or is not the caller's: the two look alike, so that nobody can ask which ids exist. */
export class NotFoundError extends CallerError {
  override readonly name = 'NotFoundError'
  readonly resource: string

  constructor(resource: string) {
    super(`${resource} not found`)
    this.resource = resource
  }
}

/** What a caller wanted to replace, and saw at another version of its cluster than the present one. */
export interface Outdated {
  readonly clusterId: string
  /** The node that it is about; null where it is about the cluster. */
  readonly nodeId: string | null
  /** The cluster's present one. */
  readonly configVersion: number
}

/** What the caller wants clashes with what is there: a name that is taken, the last admin node. */
export class ConflictError extends CallerError {
  override readonly name = 'ConflictError'
  /** Null where the caller's idea of the cluster is not what is wrong. */
  readonly outdated: Outdated | null

  constructor(message: string, outdated: Outdated | null = null) {
    super(message)
    this.outdated = outdated
  }
}

/** A bound of the product or of the network is reached: the overlay is full, a bundle is too large, too much waits. */
export class LimitError extends CallerError {
  override readonly name = 'LimitError'
  /** When the same may go through; null where time does not help. */
  readonly retryAfterSeconds: number | null

  constructor(message: string, retryAfterSeconds: number | null = null) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Others change the same all the time, or hold it, so that the change was taken back: it may go through in a moment. */
export class BusyError extends CallerError {
  override readonly name = 'BusyError'
  readonly retryAfterSeconds = 1

  constructor(options?: ErrorOptions) {
    super('Others change the same at this moment, and nothing was changed: try again', options)
  }
}

/** A machine or a database keeps the server from doing what it was asked for; the same may go through later. */
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

/** One rule that an input broke; `path` leads from the field's arguments to the value, e.g. `['input', 'routes', '3']`. */
export interface ValidationIssue {
  readonly path: readonly string[]
  readonly message: string
}

/** The input breaks rules; every one that was found is in `issues`, the first one is the message. */
export class ValidationError extends CallerError {
  override readonly name = 'ValidationError'
  readonly issues: readonly ValidationIssue[]

  constructor(issues: readonly [ValidationIssue, ...ValidationIssue[]]) {
    const [first] = issues
    super(`${first.path.join('.')}: ${first.message}`)
    this.issues = issues
  }

  /** One broken rule. */
  static at(path: readonly string[], message: string): ValidationError {
    return new ValidationError([{ path, message }])
  }
}
