import { piecesOf } from '../../../base/pieces.ts'
import { messageItems } from '../../../base/threads/job-protocol.ts'
import { answerJobs } from '../../../base/threads/job-worker.ts'
import { compileBundle, type CompileInput, type CompileNode } from './compile.ts'
import type { CompileJob } from './compile-protocol.ts'

/** Compiles bundles in a thread. See compile-thread.ts. */
answerJobs<CompileJob>(
  (parts, handOn) => {
    let input: Omit<CompileInput, 'nodes'> | null = null
    const nodes: CompileNode[] = []
    for (const part of parts) {
      if (part.kind === 'input') input = part.input
      else nodes.push(...part.nodes)
    }
    if (input === null) throw new Error('nothing says what is to be compiled')
    const { resigned, problems, ...bundle } = compileBundle({ ...input, nodes })
    for (const piece of piecesOf(resigned, messageItems)) handOn({ resigned: piece, problems: [] })
    for (const piece of piecesOf(problems, messageItems)) handOn({ resigned: [], problems: piece })
    return bundle
  },
  ({ data }) => [data.buffer],
)
