import { setImmediate } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'

import { LimitError } from '../../base/errors.ts'
import { startThread } from '../../base/program.ts'
import type { ResignedNode } from '../../db/certificates.ts'
import type { CompiledBundle, CompileInput } from './compile-input.ts'
import { inPieces, type CompileMessage, type CompileReport } from './compile-protocol.ts'

/**
 * Compiles bundles in a thread of their own, one after the other: a large cluster takes a second, in which the program
 * would answer nobody. The thread starts with the first bundle, and does not keep the program from ending.
 */
export class CompileThread {
  #worker: Worker | null = null
  #turn: Promise<unknown> = Promise.resolve()

  /**
   * See `compileBundle`.
   * @throws LimitError when the bundle would be too large; Error when it cannot be signed, or when the thread dies; the
   * next one gets a new thread
   */
  compile(input: CompileInput): Promise<CompiledBundle> {
    const ask = (): Promise<CompiledBundle> => this.#ask(input)
    // Whether the one before failed is a matter of who asked for it.
    const mine = this.#turn.then(ask, ask)
    this.#turn = mine
    return mine
  }

  /** Ends the thread; what is being compiled fails. */
  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = null
    await worker?.terminate()
  }

  async #ask({ nodes, ...input }: CompileInput): Promise<CompiledBundle> {
    const worker = (this.#worker ??= this.#start())
    worker.ref()
    const answer = this.#answerOf(worker)
    // Awaited below; until then, a thread that dies must not be an unhandled rejection.
    answer.catch(() => undefined)
    const post = (message: CompileMessage): void => worker.postMessage(message)
    try {
      post({ kind: 'begin', input })
      for (const piece of inPieces(nodes)) {
        post({ kind: 'nodes', nodes: piece })
        await setImmediate()
      }
      post({ kind: 'compile' })
    } catch (error) {
      // Half of a bundle lies in the thread: what cannot be posted is a fault of ours.
      await this.stop()
      throw error
    }
    return answer
  }

  #answerOf(worker: Worker): Promise<CompiledBundle> {
    return new Promise((resolve, reject) => {
      const resigned: ResignedNode[] = []
      const problems: CompiledBundle['problems'][number][] = []
      const settle = (): void => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        worker.unref()
      }
      const onMessage = (report: CompileReport): void => {
        if (report.kind === 'part') {
          resigned.push(...report.resigned)
          problems.push(...report.problems)
          return
        }
        settle()
        if (report.kind === 'done') resolve({ ...report.bundle, resigned, problems })
        else reject(report.limit ? new LimitError(report.message) : new Error(`not compiled: ${report.message}`))
      }
      const drop = (error: Error): void => {
        settle()
        if (this.#worker === worker) this.#worker = null
        reject(error)
      }
      const onError = (cause: unknown): void => drop(new Error('the compiling thread failed', { cause }))
      const onExit = (code: number): void => drop(new Error(`the compiling thread ended with code ${code}`))
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    })
  }

  #start(): Worker {
    // Compiling needs nothing of the environment, secrets least of all.
    const worker = startThread('bundle-compile', { env: {} })
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = null
    })
    return worker
  }
}

/** The program's one thread for it. */
export const compileThread = new CompileThread()
