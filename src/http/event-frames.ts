/**
 * A subscription's events as they are written to a stream: frames of the GraphQL over SSE protocol, distinct connections
 * mode.
 */
export interface Frames {
  /** The next frame; null at the end. It is asked for when the one before has been taken. */
  next(): Promise<Buffer | null>
  /** Nobody reads any more. */
  end(): Promise<void>
}

/** One answer, by its JSON. */
export const frameOf = (text: string): Buffer => Buffer.from(`event: next\ndata: ${text}\n\n`)

/** Behind the last answer. */
export const completeFrame = Buffer.from('event: complete\ndata:\n\n')

/** A comment, which keeps a connection open. */
export const pingFrame = Buffer.from(':\n\n')
