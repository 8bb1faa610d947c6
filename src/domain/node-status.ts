import { z } from 'zod'

import { NotFoundError, ValidationError } from '../base/errors.ts'
import type { Scope } from '../auth/scope.ts'
import type { Node } from '../db/types.ts'
import { advanceCaRotation } from './ca-rotation.ts'
import { check, nebulaVersionRule } from './rules.ts'

/** Characters of an error that are kept; a log is for the rest. */
const mostCharacters = 2000

const rules = z.object({
  runningConfigVersion: z.int('must be a whole number').min(1, 'must be 1 or more').optional(),
  nebulaVersion: nebulaVersionRule.optional(),
  lastError: z
    .string()
    // PostgreSQL keeps no NUL in a text.
    .transform((text) => [...text.slice(0, 2 * mostCharacters)].slice(0, mostCharacters).join('').replaceAll('\0', ' '))
    .optional(),
})

/** What an agent says of its node. */
export interface NodeStatus {
  /** Absent while it runs none, and when it is the one of the report before. */
  readonly runningConfigVersion?: number | undefined
  readonly nebulaVersion?: string | undefined
  /** Why the newest version does not run; absent when nothing is wrong. Cut to 2 000 characters. */
  readonly lastError?: string | undefined
}

/**
 * Keeps what a node's agent reports, and that it was seen. Nothing that nodes must run changes: no new version. A
 * rotation of the CA that waited for this report takes its next step.
 * @throws ValidationError when it says to run a version that there is not, NotFoundError
 */
export async function reportNodeStatus(
  scope: Scope,
  { nodeId, clusterId }: { readonly nodeId: string; readonly clusterId: string },
  input: NodeStatus,
): Promise<Node> {
  const { runningConfigVersion, nebulaVersion, lastError } = check(rules, input)
  const cluster = await scope.db.cluster.findUnique({
    where: { id: clusterId },
    select: { configVersion: true, caRotationPhase: true },
  })
  if (!cluster) throw new NotFoundError('Node')
  if (runningConfigVersion !== undefined && runningConfigVersion > cluster.configVersion) {
    const message = `must be a version that the cluster has; its newest is ${cluster.configVersion}`
    throw ValidationError.at(['input', 'runningConfigVersion'], message)
  }
  const before = await scope.db.node.findUnique({ where: { id: nodeId }, select: { runningConfigVersion: true } })
  const [node] = await scope.db.node.updateManyAndReturn({
    where: { id: nodeId },
    data: {
      lastSeenAt: new Date(),
      lastError: lastError ?? null,
      ...(runningConfigVersion === undefined ? {} : { runningConfigVersion }),
      ...(nebulaVersion === undefined ? {} : { nebulaVersion }),
    },
  })
  if (!node) throw new NotFoundError('Node')
  const isNew = runningConfigVersion !== undefined && runningConfigVersion !== before?.runningConfigVersion
  const appliedVersion = isNew ? runningConfigVersion : null
  scope.changes.emit({ kind: 'reported', clusterId, nodes: [{ nodeId, appliedVersion }] })
  if (cluster.caRotationPhase !== null) await advanceCaRotation(scope, clusterId)
  return node
}
