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
