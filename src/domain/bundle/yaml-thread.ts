import type { Worker } from 'node:worker_threads'

import { startThread } from '../../base/program.ts'
import type { YamlReport } from './yaml.ts'

/** Milliseconds for one batch. The bounds in limits.ts keep it at a few seconds; this is for what they miss. */
const DEADLINE = 30_000

/**
 * Checks YAML files in a thread of their own, one batch after the other: parsing a large one takes a second, in which
 * the program would answer nobody. The thread starts with the first file, and does not keep the program from ending.
 */
export class YamlThread {
  #worker: Worker | null = null
  #turn: Promise<unknown> = Promise.resolve()

  /**
   * See `checkYaml`; null when they are not done within the deadline. Rejects when the thread dies.
   *
   * @param files are given away: empty afterwards
   * @param config which of them is the shared configuration, by its place; null when none is
   * @param deadline milliseconds from when their turn comes, the thread's start included
   */
  check(
    files: readonly Uint8Array<ArrayBuffer>[],
    config: number | null = null,
    deadline = DEADLINE,
  ): Promise<YamlReport | null> {
    const ask = (): Promise<YamlReport | null> => this.#ask(files, config, deadline)
    // Whether the one before failed is a matter of who asked for it.
    const mine = this.#turn.then(ask, ask)
    this.#turn = mine
    return mine
  }

  #ask(files: readonly Uint8Array<ArrayBuffer>[], config: number | null, deadline: number): Promise<YamlReport | null> {
    const worker = (this.#worker ??= this.#start())
    worker.ref()
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        worker.unref()
      }
      const drop = (): void => {
        settle()
        this.#worker = null
        worker.terminate().catch(reject)
      }
      const onMessage = (report: YamlReport): void => {
        settle()
        resolve(report)
      }
      const onError = (error: unknown): void => {
        drop()
        reject(error instanceof Error ? error : new Error('the YAML thread failed', { cause: error }))
      }
      const onExit = (code: number): void => {
        drop()
        reject(new Error(`the YAML thread ended with code ${code}`))
      }
      const timer = setTimeout(() => {
        drop()
        resolve(null)
      }, deadline)
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
      worker.postMessage(
        { files, config },
        files.map(({ buffer }) => buffer),
      )
    })
  }

  #start(): Worker {
    // Parsing needs nothing of the environment, secrets least of all.
    const worker = startThread('bundle-yaml', { env: {} })
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = null
    })
    return worker
  }
}

/** The program's one thread for it: uploads wait for each other rather than take a core each. */
export const yamlThread = new YamlThread()
