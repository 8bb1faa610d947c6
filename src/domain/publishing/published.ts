import { NotFoundError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import { getClusterVersion } from '../clusters/clusters.ts'
import type { LiveClusters } from '../live/clusters.ts'
import type { Mailbox, News } from '../live/mailbox.ts'
import { LiveStream, type Listener } from '../live/stream.ts'

/** A version of a cluster's configuration that is published. */
export interface Published {
  readonly clusterId: string
  readonly version: number
}

/**
 * The published versions of a cluster: the current one first, then each newer one. A slow reader receives only the
 * newest, so that a stream holds one number, however many versions there are.
 * @throws NotFoundError when the cluster does not exist or is not in the scope
 */
export async function followPublished(
  live: LiveClusters,
  clusterId: string,
  listener: Listener,
): Promise<AsyncIterableIterator<Published, undefined>> {
  await assertInScope(listener.scope, clusterId)
  return new LiveStream(live.of(clusterId), listener, { mailbox: new Newest(clusterId), isCurious: false })
}

/** @throws NotFoundError when the cluster does not exist or is not in the scope */
export async function assertInScope(scope: Scope, id: string): Promise<void> {
  // Authentication has read the node's row, which belongs to this cluster.
  if (scope.clusterId === id) return
  if ((await getClusterVersion(scope, id)) === null) throw new NotFoundError('Cluster')
}

/** The same object for all streams of one version, so that its answer can be serialized once for all. */
let latest: Published = { clusterId: '', version: 0 }

const published = (clusterId: string, version: number): Published => {
  if (latest.clusterId !== clusterId || latest.version !== version) latest = { clusterId, version }
  return latest
}

class Newest implements Mailbox<Published> {
  readonly #clusterId: string
  #newest = 0
  #taken = 0

  constructor(clusterId: string) {
    this.#clusterId = clusterId
  }

  put(news: News): void {
    if (news.kind === 'published') this.#newest = Math.max(this.#newest, news.version)
    else if (news.kind === 'state') this.#newest = Math.max(this.#newest, news.published ?? 0)
  }

  get isEmpty(): boolean {
    return this.#newest <= this.#taken
  }

  take(): Published {
    this.#taken = this.#newest
    return published(this.#clusterId, this.#taken)
  }
}
