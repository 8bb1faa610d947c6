import type { LiveClusters } from '../live/clusters.ts'
import { FleetMailbox, type FleetChange, type FleetNews } from '../live/fleet-mailbox.ts'
import { LiveStream, type Listener } from '../live/stream.ts'
import { assertTenantInScope } from './fleet.ts'

export type { FleetChange }

/**
 * The changes of all clusters in the scope, or of one tenant's: a request to read the fleet first, then the figures of
 * each cluster that changed, at most once a second, and what got worse before these. A slow reader receives only the
 * latest figures of each cluster, and after too many events only a request to read again.
 * @throws NotFoundError when the tenant does not exist or is not in the scope
 */
export async function followFleet(
  live: LiveClusters,
  tenantId: string | null,
  listener: Listener,
): Promise<AsyncIterableIterator<FleetChange, undefined>> {
  const whose = tenantId ?? listener.scope.tenantId
  if (whose !== null) await assertTenantInScope(listener.scope, whose)
  return new LiveStream<FleetChange, FleetNews>(live.ofFleet(whose, listener.scope.clusterIds), listener, {
    mailbox: new FleetMailbox(whose),
    isCurious: true,
  })
}
