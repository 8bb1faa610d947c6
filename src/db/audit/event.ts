import { createHash } from 'node:crypto'

import type { AuditEvent } from '../client/types.ts'

/** The chain of the events that belong to no tenant. */
export const controlPlaneChain = 'control-plane'

/** The columns of an event that its hash is made of. */
export type Hashed = Omit<AuditEvent, 'hash' | 'headOf' | 'signature'>

/** An event before it has a place in its chain. */
export type NewEvent = Omit<Hashed, 'id' | 'chain' | 'sequence' | 'at' | 'previousHash'>

/**
 * The hash of an event: SHA-256 over its columns, and so over its predecessor's hash; without the mark of the newest
 * event and the signature of an anchor. The order of the columns here is a format: old rows are verified with it.
 */
export function hashOf(event: Hashed): string {
  const { id, chain, sequence, at, action, outcome, refusal, actorKind, actor, credentialId, tenantId } = event
  const { clusterId, targets, version, requestId, address, before, after, previousHash } = event
  const what = [id, chain, sequence, at.toISOString(), action, outcome, refusal]
  const who = [actorKind, actor, credentialId, tenantId, clusterId, targets, version, requestId, address]
  return createHash('sha256')
    .update(JSON.stringify([...what, ...who, before, after, previousHash]))
    .digest('hex')
}
