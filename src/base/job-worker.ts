import { parentPort } from 'node:worker_threads'

import { LimitError } from './errors.ts'
import type { Job, JobMessage, JobReport } from './job-thread.ts'

/** Makes the module a thread that does jobs with a function. See job-thread.ts. */
export function answerJobs<Of extends Job>(work: (parts: readonly Of['part'][]) => Of['result']): void {
  let parts: Of['part'][] = []
  const report = (message: JobReport<Of['result']>): void => parentPort?.postMessage(message)
  parentPort?.on('message', (message: JobMessage<Of['part']>) => {
    if (message.kind === 'part') {
      parts.push(message.part)
      return
    }
    const job = parts
    parts = []
    try {
      report({ kind: 'done', result: work(job) })
    } catch (error) {
      // An error that crosses threads loses its class, and may lose its message.
      report({
        kind: 'failed',
        limit: error instanceof LimitError,
        message: error instanceof Error ? error.message : '',
      })
    }
  })
}
