import type { LiveClusters } from '../live/clusters.ts'
import { ChangesMailbox, type ClusterChange } from '../live/changes-mailbox.ts'
import { LiveStream, type Listener } from '../live/stream.ts'
import { assertInScope } from '../publishing/published.ts'

export type { ClusterChange }

/**
 * What happens to a cluster: its present state first, then each change. Whoever reads slowly is told the latest of each
 * node, and where too much waits, only to read again. Of the instances of the control plane operators alone are told.
 * @throws NotFoundError when the cluster does not exist or is not in the scope
 */
export async function followCluster(
  live: LiveClusters,
  clusterId: string,
  listener: Listener,
): Promise<AsyncIterableIterator<ClusterChange, undefined>> {
  await assertInScope(listener.scope, clusterId)
  const mailbox = new ChangesMailbox({ hearsOfReplicas: listener.scope.tenantId === null })
  return new LiveStream(live.of(clusterId), listener, { mailbox, isCurious: true })
}
