import type { Actor } from '../db/audit/recording.ts'
import { systemActor, type Session } from './session.ts'

/** The server itself, in the audit trail. */
export const systemInTrail: Actor = { kind: 'system', name: systemActor, credentialId: null }

/** A caller, as the audit trail names it. */
export function actorOf(session: Session): Actor {
  const { kind } = session
  switch (kind) {
    case 'operator':
    case 'tenantAdmin':
      return { kind, name: session.subject, credentialId: session.credentialId }
    case 'node':
      return { kind, name: session.name, credentialId: session.nodeId }
    case 'blockedNode':
      return { kind, name: 'a blocked node', credentialId: session.nodeId }
    case 'enrollingMachine':
      return { kind, name: 'an enrolling machine', credentialId: session.keyId ?? session.clusterId }
    case 'anonymous':
      return { kind, name: 'anonymous', credentialId: null }
  }
}
