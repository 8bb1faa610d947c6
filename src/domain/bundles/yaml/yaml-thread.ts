import { OverdueError } from '../../../base/threads/job-thread.ts'
import { JobThreads } from '../../../base/threads/job-threads.ts'
import type { YamlReport } from './yaml.ts'
import type { YamlBatch, YamlJob } from './yaml-protocol.ts'

/** Milliseconds for one batch. The limits in limits.ts keep it at a few seconds; this stops what they miss. */
const jobDeadline = 30_000

/** Threads keep the event loop free: parsing a large file takes a second. */
const threads = new JobThreads<YamlJob>('bundle-yaml')

/**
 * See `checkYaml`; null when the files are not checked within the deadline. Rejects when the thread ends.
 * @param owner the id of the tenant whose share of the threads it uses
 * @param batch the files are transferred to the thread: empty afterwards
 * @param deadline milliseconds from the start of the job, including the start of the thread
 */
export async function checkYamlInThread(
  owner: string,
  batch: YamlBatch,
  deadline = jobDeadline,
): Promise<YamlReport | null> {
  try {
    const given = ({ files }: YamlBatch) => files.map(({ buffer }) => buffer)
    return (await threads.run({ owner, parts: [batch], given, deadline })).result
  } catch (error) {
    if (error instanceof OverdueError) return null
    throw error
  }
}
