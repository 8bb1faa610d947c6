import type { Worker } from 'node:worker_threads'

import { LimitError } from '../errors.ts'
import { AbandonedError } from '../limits/fair-queue.ts'
import { breaks } from '../pieces.ts'
import type { Job, JobFailure, JobMessage, JobReport } from './job-protocol.ts'
import { startThread, type ThreadName } from '../program.ts'

/** A job for a caller that may leave. */
export interface JobOrder<Of extends Job> {
  readonly parts: Iterable<Of['part']>
  /** Memory of a part that is transferred instead of copied, and empty afterwards. */
  readonly given?: (part: Of['part']) => ArrayBuffer[]
  /** Fires when the result is not needed any more; without it, the result is always needed. */
  readonly signal?: AbortSignal
  /** Milliseconds for the job, including the thread's start. */
  readonly deadline?: number
}

export interface JobOutcome<Of extends Job> {
  readonly pieces: readonly Of['piece'][]
  readonly result: Of['result']
}

/** A job took longer than its deadline. */
export class OverdueError extends Error {
  override readonly name = 'OverdueError'
}

/**
 * A thread that does one job at a time. It starts with its first job and does not keep the program running. It is
 * terminated with a job that is abandoned or takes too long; the next job gets another thread.
 */
export class JobThread<Of extends Job> {
  readonly #name: ThreadName
  readonly #data: unknown
  #worker: Worker | null = null
  /** The end of the former thread: one that is inside a call of native code ends only after it. */
  #ending: Promise<unknown> = Promise.resolve()

  /** @param data what the thread finds as its `workerData` */
  constructor(name: ThreadName, data?: unknown) {
    this.#name = name
    this.#data = data
  }

  /**
   * Does a job; wait for it before you start the next.
   * @throws LimitError as the job threw it; Error for any other error of the job, with its `code`, or when the thread
   * dies; AbandonedError; OverdueError
   */
  async run(order: JobOrder<Of>): Promise<JobOutcome<Of>> {
    await this.#ending
    if (order.signal?.aborted === true) throw new AbandonedError('the client has left')
    const worker = (this.#worker ??= this.#start())
    worker.ref()
    const outcome = this.#outcomeOf(worker, order)
    // Awaited below; until then, a thread that dies must not be an unhandled rejection.
    outcome.catch(() => undefined)
    const post = (message: JobMessage<Of['part']>, given: ArrayBuffer[] = []): void =>
      worker.postMessage(message, given)
    const pause = breaks()
    try {
      for (const part of order.parts) {
        if (this.#worker !== worker) break
        post({ kind: 'part', part }, order.given?.(part))
        await pause()
      }
      post({ kind: 'run' })
    } catch (error) {
      // The thread has half of a job: a message that cannot be posted is a fault of Orrery's.
      await this.stop()
      throw error
    }
    return outcome
  }

  /** Ends the thread; its job fails. */
  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = null
    await worker?.terminate()
  }

  #outcomeOf(worker: Worker, { signal, deadline }: JobOrder<Of>): Promise<JobOutcome<Of>> {
    return new Promise((resolve, reject) => {
      const pieces: Of['piece'][] = []
      const settle = (): void => {
        clearTimeout(timer)
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        signal?.removeEventListener('abort', onAbort)
        worker.unref()
      }
      const drop = (error: Error): void => {
        settle()
        if (this.#worker === worker) this.#worker = null
        reject(error)
      }
      // The thread has half of a job, or is busy with one whose result is not needed.
      const giveUp = (error: Error): void => {
        drop(error)
        this.#ending = worker.terminate()
      }
      const onMessage = (report: JobReport<Of>): void => {
        if (report.kind === 'piece') {
          pieces.push(report.piece)
          return
        }
        settle()
        if (report.kind === 'done') resolve({ pieces, result: report.result })
        else reject(this.#errorOf(report))
      }
      const onError = (cause: unknown): void => drop(new Error(`the thread ${this.#name} failed`, { cause }))
      const onExit = (code: number): void => drop(new Error(`the thread ${this.#name} ended with code ${code}`))
      const onAbort = (): void => giveUp(new AbandonedError('the client has left'))
      const onDeadline = (): void => giveUp(new OverdueError(`the thread ${this.#name} took more than ${deadline} ms`))
      const timer = deadline === undefined ? undefined : setTimeout(onDeadline, deadline)
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  #errorOf({ limit, code, message }: JobFailure): Error {
    if (limit) return new LimitError(message)
    return Object.assign(new Error(`${this.#name}: ${message}`), code === null ? {} : { code })
  }

  #start(): Worker {
    // Jobs need nothing from the environment, least of all its secrets.
    const worker = startThread(this.#name, { env: {}, workerData: this.#data })
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = null
    })
    return worker
  }
}
