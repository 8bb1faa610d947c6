// Frames of the GraphQL over SSE protocol, distinct connections mode.

/** One answer, by its JSON. */
export const frameOf = (text: string): Buffer => Buffer.from(`event: next\ndata: ${text}\n\n`)

/** Behind the last answer. */
export const completeFrame = Buffer.from('event: complete\ndata:\n\n')

/** A comment, which keeps a connection open. */
export const pingFrame = Buffer.from(':\n\n')
