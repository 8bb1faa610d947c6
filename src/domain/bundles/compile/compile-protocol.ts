import type { CompiledBundle, CompileInput, CompileNode } from './compile-input.ts'

/** A job of the threads that compile, in parts: what is to be compiled without its nodes, and the nodes. */
export type CompilePart =
  | { readonly kind: 'input'; readonly input: Omit<CompileInput, 'nodes'> }
  | { readonly kind: 'nodes'; readonly nodes: readonly CompileNode[] }

/** What `answerJobs` and `JobThreads` are told of it. */
export interface CompileJob {
  readonly part: CompilePart
  readonly piece: Pick<CompiledBundle, 'resigned' | 'problems'>
  readonly result: Omit<CompiledBundle, 'resigned' | 'problems'>
}
