import { expiryOf } from './certificates.ts'
import type { ClusterFolder } from './enrollment-state.ts'
import { readFailed, sayFailed } from './failed.ts'
import { readRefusal } from './refusal.ts'
import { readLinked } from './nebula/generation.ts'

/** What a machine's disk says about one of its clusters. */
export interface AgentStatus {
  readonly clusterId: string
  readonly server: string
  readonly node: string
  /** The version that runs, or ran last; null before the first. */
  readonly version: number | null
  /** ISO 8601; null when there is none. */
  readonly certificateExpiresAt: string | null
  /** Why the newest version does not run; null when it does. */
  readonly lastError: string | null
  /** Why the control plane refuses this machine: its node is blocked, say. Null when it does not. */
  readonly refusal: string | null
}

export async function statusOf(folder: ClusterFolder): Promise<AgentStatus> {
  const { clusterId, server } = await folder.enrollment()
  const proven = await readLinked(folder, 'proven')
  const certificate = proven?.certificate ?? (await folder.read('host.crt'))
  const failed = await readFailed(folder)
  return {
    clusterId,
    server,
    node: await folder.nodeName(),
    version: proven?.version ?? null,
    certificateExpiresAt: certificate === null ? null : (expiryOf(certificate)?.toISOString() ?? null),
    lastError: failed === null ? null : sayFailed(failed),
    refusal: await readRefusal(folder),
  }
}

/** For people: one block per cluster. */
export const sayStatus = (status: AgentStatus): string =>
  [
    `${status.node} in cluster ${status.clusterId}`,
    `  server       ${status.server}`,
    `  version      ${status.version ?? 'none yet'}`,
    `  certificate  ${status.certificateExpiresAt === null ? 'none' : `until ${status.certificateExpiresAt}`}`,
    ...(status.lastError === null ? [] : [`  error        ${status.lastError}`]),
    ...(status.refusal === null ? [] : [`  refused      ${status.refusal}`]),
  ].join('\n')
