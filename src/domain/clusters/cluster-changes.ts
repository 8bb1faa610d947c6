import type { LiveClusters } from '../live/clusters.ts'
import { ChangesMailbox, type ClusterChange } from '../live/changes-mailbox.ts'
import { LiveStream, type Listener } from '../live/stream.ts'
import { assertInScope } from '../publishing/published.ts'

export type { ClusterChange }

/**
 * The changes of a cluster: its current state first, then each change. A slow reader receives only the latest change of
 * each node, and after too many changes only a request to read again. Only operators receive changes of the control
 * plane's instances.
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
