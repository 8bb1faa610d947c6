/** The messages of one kind of job: the parts of its input, the pieces of a long result, and the rest of the result. */
export interface Job {
  readonly part: unknown
  readonly piece: unknown
  readonly result: unknown
}

/** To a thread: one part of the next job, since a message is copied in one go; or the end of the parts. */
export type JobMessage<Part> = { readonly kind: 'part'; readonly part: Part } | { readonly kind: 'run' }

/** From a thread: the result of a job, or why it failed. */
export type JobReport<Of extends Job> =
  | { readonly kind: 'piece'; readonly piece: Of['piece'] }
  | { readonly kind: 'done'; readonly result: Of['result'] }
  | JobFailure

/** `code` is that of the error, SQLite's say; null without one. */
export interface JobFailure {
  readonly kind: 'failed'
  readonly limit: boolean
  readonly code: string | null
  readonly message: string
}

/** Lists are sent in pieces of this many: a message is copied in one go, on the event loops of both sides. */
export const messageItems = 500
