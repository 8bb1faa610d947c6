import type { Scope } from '../../auth/scope.ts'
import { statusKey, type NodeStatus, type StatusTimes } from '../../db/reads/node-status.ts'
import { unseenAfter } from '../clusters/convergence.ts'

export { statusKey, type NodeStatus }

/** What a node's status is measured against at a moment. */
export const statusTimes = (now = new Date()): StatusTimes => ({
  now,
  seenSince: new Date(now.getTime() - unseenAfter),
})

/**
 * The status of each of several nodes, by their keys, in one statement.
 * @param keys of `statusKey`: what is known of each node
 */
export const getNodeStatuses = (
  scope: Scope,
  keys: readonly string[],
  now = new Date(),
): Promise<Map<string, NodeStatus>> => scope.read.statuses(keys, statusTimes(now))
