import { TestEnvironment } from 'jest-environment-node'

/**
 * Node's environment of a suite, which ends the threads that the suite has started. Each suite has modules of its own,
 * and with them threads of its own (src/base/threads), which wait for jobs until the process ends: those of eighty suites
 * took gigabytes in each of Jest's workers, and more time at its end than Jest allows.
 */
export default class SuiteEnvironment extends TestEnvironment {
  /** @type {Set<import('node:worker_threads').Worker>} */
  #threads = new Set()

  /** @param {import('node:worker_threads').Worker} thread */
  #started = (thread) => {
    this.#threads.add(thread)
    thread.once('exit', () => this.#threads.delete(thread))
  }

  /** @override */
  async setup() {
    await super.setup()
    process.on('worker', this.#started)
  }

  /** @override */
  async teardown() {
    process.off('worker', this.#started)
    await Promise.all([...this.#threads].map((thread) => thread.terminate()))
    await super.teardown()
  }
}
