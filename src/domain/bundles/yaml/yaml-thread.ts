import { OverdueError } from '../../../base/threads/job-thread.ts'
import { JobThreads } from '../../../base/threads/job-threads.ts'
import type { YamlReport } from './yaml.ts'
import type { YamlBatch, YamlJob } from './yaml-protocol.ts'

/** Milliseconds for one batch. The bounds in limits.ts keep it at a few seconds; this is for what they miss. */
const DEADLINE = 30_000

/** The program's threads for it: parsing a large file takes a second, in which the program would answer nobody. */
const threads = new JobThreads<YamlJob>('bundle-yaml')

/**
 * See `checkYaml`; null when they are not done within the deadline. Rejects when the thread dies.
 * @param owner whose share of the threads it takes: a tenant's id
 * @param batch files are given away: empty afterwards
 * @param deadline milliseconds from when their turn comes, the thread's start included
 */
export async function checkYamlInThread(
  owner: string,
  batch: YamlBatch,
  deadline = DEADLINE,
): Promise<YamlReport | null> {
  try {
    const given = ({ files }: YamlBatch) => files.map(({ buffer }) => buffer)
    return (await threads.run({ owner, parts: [batch], given, deadline })).result
  } catch (error) {
    if (error instanceof OverdueError) return null
    throw error
  }
}
