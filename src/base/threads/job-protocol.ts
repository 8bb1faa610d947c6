/** What the jobs of a kind are made of, part by part; what comes of one that is long, piece by piece; and the rest. */
export interface Job {
  readonly part: unknown
  readonly piece: unknown
  readonly result: unknown
}

/** To a thread: what its next job is made of, in parts, since a message is copied at once; and that this was all. */
export type JobMessage<Part> = { readonly kind: 'part'; readonly part: Part } | { readonly kind: 'run' }

/** From a thread: what came of a job, or why nothing did. */
export type JobReport<Of extends Job> =
  | { readonly kind: 'piece'; readonly piece: Of['piece'] }
  | { readonly kind: 'done'; readonly result: Of['result'] }
  | { readonly kind: 'failed'; readonly limit: boolean; readonly message: string }

/** Lists go in pieces of this many: a message is copied at once, on the event loop of both sides. */
const PIECE = 500

/** A list in pieces of PIECE. */
export const inPieces = <Item>(list: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(list.length / PIECE) }, (_, index) => list.slice(index * PIECE, (index + 1) * PIECE))
