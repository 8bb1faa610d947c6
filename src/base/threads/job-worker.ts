import { parentPort } from 'node:worker_threads'

import { LimitError } from '../errors.ts'
import type { Job, JobMessage, JobReport } from './job-protocol.ts'

/**
 * Makes the module a thread that does jobs. See job-threads.ts.
 * @param work takes all parts of a job and hands long lists on in pieces
 * @param given memory of a result that is handed over instead of copied
 */
export function answerJobs<Of extends Job>(
  work: (parts: readonly Of['part'][], handOn: (piece: Of['piece']) => void) => Of['result'],
  given: (result: Of['result']) => ArrayBuffer[] = () => [],
): void {
  let parts: Of['part'][] = []
  const report = (message: JobReport<Of>, transfer: ArrayBuffer[] = []): void =>
    parentPort?.postMessage(message, transfer)
  parentPort?.on('message', (message: JobMessage<Of['part']>) => {
    if (message.kind === 'part') {
      parts.push(message.part)
      return
    }
    const job = parts
    parts = []
    try {
      const result = work(job, (piece) => report({ kind: 'piece', piece }))
      report({ kind: 'done', result }, given(result))
    } catch (error) {
      // An error that crosses threads loses its class, and may lose its message.
      const text = error instanceof Error ? error.message : ''
      report({ kind: 'failed', limit: error instanceof LimitError, message: text })
    }
  })
}
