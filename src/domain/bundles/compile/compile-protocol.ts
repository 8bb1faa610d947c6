import type { CompiledBundle, CompileInput, CompileNode } from './compile-input.ts'

/** A job of the compiling threads, in parts: the input without its nodes, then the nodes. */
export type CompilePart =
  | { readonly kind: 'input'; readonly input: Omit<CompileInput, 'nodes'> }
  | { readonly kind: 'nodes'; readonly nodes: readonly CompileNode[] }

/** The types that `answerJobs` and `JobThreads` need. */
export interface CompileJob {
  readonly part: CompilePart
  readonly piece: Pick<CompiledBundle, 'resigned' | 'problems'>
  readonly result: Omit<CompiledBundle, 'resigned' | 'problems'>
}
