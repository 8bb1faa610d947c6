/** Why the server refused a request, as a sentence for people. */
export class ApiError extends Error {
  override readonly name: string = 'ApiError'
  /** The `extensions.code` of the answer, or `OFFLINE` when there was none. */
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}

/** The session has ended, or there never was one. */
export class SessionEnded extends ApiError {
  override readonly name = 'SessionEnded'

  constructor() {
    super('You are not signed in.', 'UNAUTHENTICATED')
  }
}

/** A broken rule of an input. */
export interface Issue {
  readonly path: readonly string[]
  readonly message: string
}

/** One of the errors in a mutation's result: nothing was changed. */
export class Refusal extends ApiError {
  override readonly name = 'Refusal'
  readonly issues: readonly Issue[]

  constructor(kind: string, message: string, issues: readonly Issue[]) {
    super(message, kind)
    this.issues = issues
  }
}

/** What is wrong with a field of a form, such as `name` for `["input", "name"]`; undefined if nothing is. */
export function fieldError(error: Error | null, field: string): string | undefined {
  if (!(error instanceof Refusal)) return undefined
  return error.issues.find(({ path }) => path.at(-1) === field || path[1] === field)?.message
}

/** What belongs to none of the fields, and so is shown above the form. */
export function formError(error: Error | null, fields: readonly string[]): string | null {
  if (error === null || error instanceof SessionEnded) return null
  return fields.some((field) => fieldError(error, field) !== undefined) ? null : error.message
}
