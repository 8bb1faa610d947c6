import type { CompiledBundle, CompileInput, CompileNode } from './compile-input.ts'

/** Lists go in pieces of this many: a message is copied at once, on the event loop of both sides. */
const PIECE = 500

/** To the thread: what is to be compiled without its nodes, the nodes in pieces, and that this was all. */
export type CompileMessage =
  | { readonly kind: 'begin'; readonly input: Omit<CompileInput, 'nodes'> }
  | { readonly kind: 'nodes'; readonly nodes: readonly CompileNode[] }
  | { readonly kind: 'compile' }

/** From the thread: what is long in pieces, then the bundle, or why there is none. */
export type CompileReport =
  | ({ readonly kind: 'part' } & Pick<CompiledBundle, 'resigned' | 'problems'>)
  | { readonly kind: 'done'; readonly bundle: Omit<CompiledBundle, 'resigned' | 'problems'> }
  | { readonly kind: 'failed'; readonly limit: boolean; readonly message: string }

/** A list in pieces of PIECE. */
export const inPieces = <Item>(list: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(list.length / PIECE) }, (_, index) => list.slice(index * PIECE, (index + 1) * PIECE))
