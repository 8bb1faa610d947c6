import { parentPort } from 'node:worker_threads'

import { LimitError } from '../errors.ts'
import type { Job, JobMessage, JobReport } from './job-protocol.ts'

/**
 * Makes a thread that does jobs out of the module that calls it. See job-threads.ts.
 * @param work gets all parts of a job and passes long lists on in pieces
 * @param given memory of a result that is transferred instead of copied
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
      // An error that is sent to another thread loses its class, and may lose its message.
      const { message, code }: { message: string; code?: unknown } = error instanceof Error ? error : { message: '' }
      const text = typeof code === 'string' ? code : null
      report({ kind: 'failed', limit: error instanceof LimitError, code: text, message })
    }
  })
}
