import { parentPort } from 'node:worker_threads'

import { LimitError } from '../../base/errors.ts'
import { compileBundle, type CompileInput, type CompileNode } from './compile.ts'
import { inPieces, type CompileMessage, type CompileReport } from './compile-protocol.ts'

/** The thread that bundles are compiled in, one after the other. See compile-thread.ts. */

let input: Omit<CompileInput, 'nodes'> | null = null
let nodes: CompileNode[] = []

parentPort?.on('message', (message: CompileMessage) => {
  if (message.kind === 'begin') {
    input = message.input
    nodes = []
  } else if (message.kind === 'nodes') nodes.push(...message.nodes)
  else if (input !== null) compile({ ...input, nodes })
})

function compile(whole: CompileInput): void {
  try {
    const { resigned, problems, ...bundle } = compileBundle(whole)
    for (const piece of inPieces(resigned)) report({ kind: 'part', resigned: piece, problems: [] })
    for (const piece of inPieces(problems)) report({ kind: 'part', resigned: [], problems: piece })
    report({ kind: 'done', bundle }, [bundle.data.buffer])
  } catch (error) {
    // An error that crosses threads loses its class, and may lose its message.
    report({ kind: 'failed', limit: error instanceof LimitError, message: error instanceof Error ? error.message : '' })
  } finally {
    input = null
    nodes = []
  }
}

function report(message: CompileReport, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}
