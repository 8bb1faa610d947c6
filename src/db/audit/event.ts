import { createHash } from 'node:crypto'

import type { AuditEvent } from '../client/types.ts'

/** The chain of the events that belong to no tenant. */
export const controlPlaneChain = 'control-plane'

/** The columns of an event that its hash is made of. */
export type Hashed = Omit<AuditEvent, 'hash' | 'headOf' | 'signature' | keyof Kept>

/** What an event keeps for a day, so that the same call gives the same result again. */
export type Kept = Pick<AuditEvent, 'idempotencyKey' | 'inputHash' | 'sealedResult'>

/** Nothing is kept, or nothing any more. */
export const nothingKept: Kept = { idempotencyKey: null, inputHash: null, sealedResult: null }

/** An event before it has a place in its chain. */
export type NewEvent = Omit<Hashed, 'id' | 'chain' | 'sequence' | 'at' | 'previousHash'> & Partial<Kept>

/**
 * The hash of an event: SHA-256 over its columns, and so over its predecessor's hash; without the mark of the newest
 * event, the signature of an anchor, and what is kept for a day. The order of the columns here is a format: old rows
 * are verified with it.
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
