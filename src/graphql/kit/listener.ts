import type { Session, SignedIn } from '../../auth/session.ts'
import type { Listener } from '../../domain/live/stream.ts'
import { blocked, callerOf, unauthenticated } from './access.ts'
import type { Context } from './context.ts'

/**
 * The caller of a subscription, as its stream needs it.
 * @throws GraphQLError UNAUTHENTICATED for a JWT that has just expired: requests are allowed some clock skew, but a
 * stream would end as soon as it began
 */
export function listenerOf(context: Context): Listener {
  const caller = callerOf(context)
  const { isSameAs, ...known } = asListener(caller)
  if (known.expiresAt !== null && known.expiresAt.getTime() <= Date.now()) throw unauthenticated()
  const authenticateAgain = context.reauthentication()
  let { expiresAt } = known
  return {
    scope: caller.scope,
    nodeId: known.nodeId,
    get expiresAt() {
      return expiresAt
    },
    async isAllowed() {
      const now = await authenticateAgain()
      if (!isSameAs(now)) return false
      // Its token may have become a former one meanwhile, or have been given another end.
      expiresAt = endOf(now)
      return true
    },
  }
}

/** When the credential ends; null if it does not. */
function endOf(session: Session): Date | null {
  switch (session.kind) {
    case 'operator':
    case 'tenantAdmin':
    case 'node':
      return session.expiresAt
    case 'blockedNode':
    case 'enrollingMachine':
    case 'anonymous':
      return null
  }
}

interface Known extends Pick<Listener, 'nodeId' | 'expiresAt'> {
  /** Whether the credential still belongs to the caller that opened the stream. */
  readonly isSameAs: (now: Session) => boolean
}

/** Whether two limits are the same list of clusters, or both are none. */
const areSame = (one: readonly string[] | null, other: readonly string[] | null): boolean =>
  one === null || other === null ? one === other : one.join() === other.join()

function asListener(caller: SignedIn): Known {
  switch (caller.kind) {
    case 'operator':
      return { nodeId: null, expiresAt: caller.expiresAt, isSameAs: (now) => now.kind === 'operator' }
    case 'tenantAdmin': {
      const { role, scope, expiresAt } = caller
      const isSameAs = (now: Session) =>
        now.kind === 'tenantAdmin' &&
        now.scope.tenantId === scope.tenantId &&
        now.role === role &&
        areSame(now.scope.clusterIds, scope.clusterIds)
      return { nodeId: null, expiresAt, isSameAs }
    }
    case 'node': {
      const { nodeId, expiresAt } = caller
      return { nodeId, expiresAt, isSameAs: (now) => now.kind === 'node' && now.nodeId === nodeId }
    }
    case 'blockedNode':
      throw blocked()
    case 'enrollingMachine': {
      const { clusterId, keyId } = caller
      const isSameAs = (now: Session) =>
        now.kind === 'enrollingMachine' && now.clusterId === clusterId && now.keyId === keyId
      return { nodeId: null, expiresAt: null, isSameAs }
    }
  }
}
