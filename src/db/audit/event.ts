import { createHash } from 'node:crypto'

import type { AuditEvent } from '../client/types.ts'

/** The chain of the events that belong to no tenant. */
export const controlPlaneChain = 'control-plane'

/** An event before it has a place in its chain. */
export type NewEvent = Omit<AuditEvent, 'id' | 'chain' | 'sequence' | 'headOf' | 'at' | 'previousHash' | 'hash'>

/**
 * The hash of an event: SHA-256 over all of its columns but the mark of the newest one, and so over its predecessor's
 * hash. The order of the columns here is a format: old rows are verified with it.
 */
export function hashOf(event: Omit<AuditEvent, 'hash' | 'headOf'>): string {
  const { id, chain, sequence, at, action, outcome, refusal, actorKind, actor, credentialId, tenantId } = event
  const { clusterId, targets, version, requestId, address, before, after, previousHash } = event
  const what = [id, chain, sequence, at.toISOString(), action, outcome, refusal]
  const who = [actorKind, actor, credentialId, tenantId, clusterId, targets, version, requestId, address]
  return createHash('sha256')
    .update(JSON.stringify([...what, ...who, before, after, previousHash]))
    .digest('hex')
}
