import type { Session, SignedIn } from '../auth/session.ts'
import type { Listener } from '../domain/live/stream.ts'
import { callerOf, unauthenticated } from './access.ts'
import type { Context } from './context.ts'

/**
 * The caller of a subscription, as its stream knows it.
 * @throws GraphQLError UNAUTHENTICATED for a JWT that has just expired: a request may be late by what clocks differ, a
 * stream would end as soon as it began
 */
export function listenerOf(context: Context): Listener {
  const caller = callerOf(context)
  const expiresAt = 'expiresAt' in caller ? caller.expiresAt : null
  if (expiresAt !== null && expiresAt.getTime() <= Date.now()) throw unauthenticated()
  const { scope } = caller
  const isSameAsBefore = sameAs(caller)
  const authenticateAgain = context.reauthentication()
  return {
    scope,
    nodeId: caller.kind === 'node' ? caller.nodeId : null,
    expiresAt,
    isAllowed: async () => isSameAsBefore(await authenticateAgain()),
  }
}

/** Whether a credential still leads to whom it led to when the stream began. */
function sameAs(before: SignedIn): (now: Session) => boolean {
  switch (before.kind) {
    case 'operator':
      return (now) => now.kind === 'operator'
    case 'tenantAdmin': {
      const { role, scope } = before
      return (now) => now.kind === 'tenantAdmin' && now.scope.tenantId === scope.tenantId && now.role === role
    }
    case 'node': {
      const { nodeId } = before
      return (now) => now.kind === 'node' && now.nodeId === nodeId
    }
    case 'enrollingMachine': {
      const { clusterId } = before
      return (now) => now.kind === 'enrollingMachine' && now.clusterId === clusterId
    }
  }
}
