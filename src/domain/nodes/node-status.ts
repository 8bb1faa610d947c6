import * as z from 'zod'

import { NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Node } from '../../db/client/types.ts'
import { nodeFields } from './nodes.ts'
import type { Presence } from '../presence/presence.ts'
import { check, defined, nebulaVersionRule } from '../shared/rules.ts'

/** Characters of an error that are stored; the full text belongs in a log. */
const mostCharacters = 2000

const rules = z.object({
  runningConfigVersion: z.int32('must be a whole number').min(1, 'must be 1 or more').optional(),
  nebulaVersion: nebulaVersionRule.optional(),
  lastError: z
    .string()
    .transform((text) => [...text.slice(0, 2 * mostCharacters)].slice(0, mostCharacters).join(''))
    // PostgreSQL stores no NUL in a text, and no half of a surrogate pair: one such report would block all others.
    .transform((text) => Buffer.from(text.replaceAll('\0', ' ')).toString())
    .optional(),
})

/** The report of a node's agent. */
export interface NodeStatus {
  /** Absent while the node runs no version, and when the version is the last reported one. */
  readonly runningConfigVersion?: number | undefined
  readonly nebulaVersion?: string | undefined
  /** Why the newest version does not run; absent when there is no error. Cut to 2 000 characters. */
  readonly lastError?: string | undefined
}

/**
 * Records what a node's agent reports, and that the node was seen. It is written a moment later, together with other
 * reports. The configuration does not change, so there is no new version. A CA rotation that waits for this report
 * advances once it is written.
 * @returns the node with the report applied
 * @throws ValidationError when the reported version does not exist, NotFoundError
 */
export async function reportNodeStatus(
  scope: Scope,
  presence: Presence,
  { nodeId, clusterId }: { readonly nodeId: string; readonly clusterId: string },
  input: NodeStatus,
): Promise<Node> {
  const { runningConfigVersion, nebulaVersion, lastError = null } = check(rules, input)
  const [cluster, node] = await Promise.all([
    scope.read.row('clusters', 'id', clusterId, ['configVersion']),
    scope.read.row('nodes', 'id', nodeId, nodeFields),
  ])
  if (!cluster || !node) throw new NotFoundError('Node')
  if (runningConfigVersion !== undefined && runningConfigVersion > cluster.configVersion) {
    const message = `must be a version that the cluster has; its newest is ${cluster.configVersion}`
    throw ValidationError.at(['input', 'runningConfigVersion'], 'OUT_OF_RANGE', message)
  }
  const { seenAt, report } = presence.report({ nodeId, clusterId }, { runningConfigVersion, nebulaVersion, lastError })
  return { ...node, lastSeenAt: new Date(seenAt), ...defined(report ?? {}) }
}
