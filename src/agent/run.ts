import type { Logger } from '../base/log.ts'
import { printable } from '../base/texts/printable.ts'
import { enrolledClusters, type ClusterFolder } from './enrollment-state.ts'
import { AgentError, sayError } from './errors.ts'
import { Follower, type Pace } from './follower.ts'
import { nebulaVersion } from './nebula/nebula-process.ts'

export interface RunOptions {
  readonly stateDir: string
  /** Ids or node names; when empty, all clusters that this machine is enrolled in. */
  readonly clusters: readonly string[]
  /** The Nebula binary. */
  readonly nebula: string
  readonly log: Logger
  readonly pace?: Partial<Pace>
}

export interface RunningAgent {
  /** Checks for news now, in every cluster. */
  check(): void
  /** Ends every Nebula and every connection. */
  stop(): Promise<void>
  /** Resolves when all have ended: whether `stop` was the only reason. */
  readonly ended: Promise<boolean>
}

/**
 * Follows the clusters that this machine is enrolled in, each with a Nebula of its own; a problem of one does not
 * affect the others.
 * @throws AgentError when there is none, or Nebula is not installed
 */
export async function runAgent({ stateDir, clusters, nebula, log, pace = {} }: RunOptions): Promise<RunningAgent> {
  const version = await nebulaVersion(nebula)
  const folders = await chosen(stateDir, clusters)
  const followers: { follower: Follower; own: Logger }[] = []
  for (const folder of folders) {
    try {
      const enrollment = await folder.enrollment()
      const token = await folder.token()
      const own = log.child({ cluster: enrollment.clusterId, node: printable(await folder.nodeName()) })
      own.info({ server: enrollment.server, nebulaVersion: version }, 'following')
      const dependencies = { folder, enrollment, token, program: nebula, nebulaVersion: version, log: own }
      followers.push({ follower: new Follower({ ...dependencies, pace }), own })
    } catch (error) {
      // A problem of one cluster does not affect the machine's other clusters.
      if (!(error instanceof AgentError) || folders.length === 1) throw error
      log.error({ folder: folder.path, reason: sayError(error) }, 'not followed')
    }
  }
  const ended = Promise.all(
    followers.map(async ({ follower, own }) => {
      try {
        await follower.run()
        return true
      } catch (error) {
        // A problem that a person can fix needs no stack.
        const fault = error instanceof AgentError ? {} : { err: error }
        own.error({ ...fault, reason: sayError(error) }, 'not followed any more')
        return false
      }
    }),
  )
  return {
    check() {
      for (const { follower } of followers) follower.check()
    },
    async stop() {
      await Promise.all(followers.map(({ follower }) => follower.stop()))
      await ended
    },
    ended: ended.then((each) => each.every((well) => well)),
  }
}

/** The folders of the requested clusters. @throws AgentError */
export async function chosen(stateDir: string, wanted: readonly string[]): Promise<ClusterFolder[]> {
  const folders = await enrolledClusters(stateDir)
  if (folders.length === 0) {
    throw new AgentError(`This machine is enrolled in no cluster (${stateDir}): orrery agent enroll --help`)
  }
  if (wanted.length === 0) return folders
  return Promise.all(
    wanted.map(async (one) => {
      for (const folder of folders) if (await folder.isCalled(one)) return folder
      throw new AgentError(`--cluster ${one}: this machine is enrolled in no such cluster; see orrery agent status`)
    }),
  )
}
