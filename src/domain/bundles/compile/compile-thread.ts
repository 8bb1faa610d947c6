import { piecesOf } from '../../../base/pieces.ts'
import { messageItems } from '../../../base/threads/job-protocol.ts'
import { JobThreads } from '../../../base/threads/job-threads.ts'
import type { CompiledBundle, CompileInput } from './compile-input.ts'
import type { CompileJob, CompilePart } from './compile-protocol.ts'

/** Threads keep the event loop free: compiling a large cluster takes a second. */
export const compileThreads = new JobThreads<CompileJob>('bundle-compile')

/**
 * See `compileBundle`.
 * @param owner the tenant whose share of the threads it uses, by id
 * @throws LimitError when the bundle would be too large; Error when it cannot be signed, or when the thread ends
 */
export async function compileInThread(
  owner: string,
  input: CompileInput,
  threads = compileThreads,
): Promise<CompiledBundle> {
  const { pieces, result } = await threads.run({ owner, parts: partsOf(input) })
  const resigned = pieces.flatMap((piece) => piece.resigned)
  return { ...result, resigned, problems: pieces.flatMap(({ problems }) => problems) }
}

function* partsOf({ nodes, ...input }: CompileInput): Generator<CompilePart, void> {
  yield { kind: 'input', input }
  for (const piece of piecesOf(nodes, messageItems)) yield { kind: 'nodes', nodes: piece }
}
