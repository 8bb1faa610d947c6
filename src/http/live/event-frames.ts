// Frames of the GraphQL over SSE protocol, distinct connections mode.

/** The frame of one answer. */
export const frameOf = (text: string): Buffer => Buffer.from(`event: next\ndata: ${text}\n\n`)

/** Sent after the last answer. */
export const completeFrame = Buffer.from('event: complete\ndata:\n\n')

/** A comment, which keeps a connection open. */
export const pingFrame = Buffer.from(':\n\n')
