import { setImmediate } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'

import { LimitError } from './errors.ts'
import { startThread } from './program.ts'

/** What a thread's jobs are made of, part by part, and what comes of one. */
export interface Job {
  readonly part: unknown
  readonly result: unknown
}

/** To a thread: what its next job is made of, in parts, since a message is copied at once; and that this was all. */
export type JobMessage<Part> = { readonly kind: 'part'; readonly part: Part } | { readonly kind: 'run' }

/** From a thread: what came of a job, or why nothing did. */
export type JobReport<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly limit: boolean; readonly message: string }

/**
 * A thread that does one job after the other, each for somebody who may leave: work that takes more than a moment, in
 * which the program would answer nobody. It starts with its first job, and does not keep the program from ending. Its
 * module is what `answerJobs` makes of a function (job-worker.ts).
 */
export class JobThread<Of extends Job> {
  readonly #module: string
  readonly #name: string
  #worker: Worker | null = null
  #turn: Promise<unknown> = Promise.resolve()

  /** @param module its path from src, without the ending */
  constructor(module: string, name: string) {
    this.#module = module
    this.#name = name
  }

  /**
   * Has a job done when those before it are.
   * @param signal ends it: what waits is not begun, and a thread that is at it is ended
   * @throws LimitError as the job threw it; Error for whatever else it threw, or when the thread dies; what the signal
   * was aborted with
   */
  run(parts: Iterable<Of['part']>, signal: AbortSignal): Promise<Of['result']> {
    const ask = (): Promise<Of['result']> => this.#ask(parts, signal)
    // Whether the one before failed is a matter of who asked for it.
    const mine = this.#turn.then(ask, ask)
    this.#turn = mine
    return mine
  }

  async #ask(parts: Iterable<Of['part']>, signal: AbortSignal): Promise<Of['result']> {
    signal.throwIfAborted()
    const worker = (this.#worker ??= this.#start())
    worker.ref()
    const answer = this.#answerOf(worker, signal)
    // Awaited below; until then, a thread that dies must not be an unhandled rejection.
    answer.catch(() => undefined)
    const post = (message: JobMessage<Of['part']>): void => worker.postMessage(message)
    for (const part of parts) {
      post({ kind: 'part', part })
      await setImmediate()
    }
    post({ kind: 'run' })
    return answer
  }

  #answerOf(worker: Worker, signal: AbortSignal): Promise<Of['result']> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        signal.removeEventListener('abort', onAbort)
        worker.unref()
      }
      const drop = (error: Error): void => {
        settle()
        if (this.#worker === worker) this.#worker = null
        reject(error)
      }
      const onMessage = (report: JobReport<Of['result']>): void => {
        settle()
        if (report.kind === 'done') resolve(report.result)
        else reject(report.limit ? new LimitError(report.message) : new Error(`${this.#name}: ${report.message}`))
      }
      const onError = (cause: unknown): void => drop(new Error(`the thread ${this.#name} failed`, { cause }))
      const onExit = (code: number): void => drop(new Error(`the thread ${this.#name} ended with code ${code}`))
      const onAbort = (): void => {
        drop(signal.reason instanceof Error ? signal.reason : new Error('given up'))
        // Half of a job lies in it, or it is busy with one that nobody wants. The next job gets another.
        void worker.terminate()
      }
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #start(): Worker {
    // Jobs need nothing of the environment, secrets least of all.
    const worker = startThread(this.#module, { name: this.#name, env: {} })
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = null
    })
    return worker
  }
}
