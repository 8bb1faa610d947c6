import type { Logger } from '../../base/log.ts'
import type { ChangeEvent } from '../../db/notify/changes.ts'
import { getLatestConfigBundleVersion } from '../bundles/config-bundles.ts'
import { getClusterVersion } from '../clusters/clusters.ts'
import type { News } from './mailbox.ts'
import { RowReader } from './row-reader.ts'
import type { Follower } from './stream.ts'
import type { WakeUps } from './wake-ups.ts'

interface Dependencies {
  readonly wakeUps: WakeUps
  readonly log: Pick<Logger, 'warn'>
  /** Milliseconds. */
  readonly lookEvery: number
}

/**
 * The streams of one cluster in this process. It reads in the scope of one of them: each stream was accepted because
 * the cluster is in its scope, and only data of the cluster is read.
 */
export class Channel {
  readonly #clusterId: string
  readonly #dependencies: Dependencies
  readonly #streams = new Set<Follower>()
  readonly #rows: RowReader
  /** Streams that receive the state with its next reading. */
  #newcomers = new Set<Follower>()
  #isReading = false
  /** The newest wanted version from an event or a check; if the next check finds a newer one, an event was missed. */
  #heard = 0
  #nextLook: NodeJS.Timeout | undefined

  constructor(clusterId: string, dependencies: Dependencies) {
    this.#clusterId = clusterId
    this.#dependencies = dependencies
    this.#rows = new RowReader((news) => this.#tell(news))
    this.#appointLook()
  }

  get isEmpty(): boolean {
    return this.#streams.size === 0
  }

  /** The state is read after the stream has joined, so later changes are either in it or sent as events. */
  add(stream: Follower): void {
    this.#streams.add(stream)
    this.#newcomers.add(stream)
    void this.#readState()
  }

  delete(stream: Follower): void {
    this.#streams.delete(stream)
    this.#newcomers.delete(stream)
    if (this.isEmpty) clearTimeout(this.#nextLook)
  }

  end(): void {
    for (const stream of [...this.#streams]) stream.end()
  }

  /** Takes an event of this cluster, or one that concerns all clusters. */
  hear(event: ChangeEvent): void {
    switch (event.kind) {
      case 'changed':
        this.#heard = Math.max(this.#heard, event.version)
        return
      case 'ended':
        if (event.whose === 'everybody') this.end()
        else if (event.whose !== 'enrolling') this.#checkCredentials(event.whose.nodeId)
        return
      case 'signedOut':
        this.#checkCredentials(null)
        return
      case 'nodesAdded':
        this.#read('added', event.nodeIds)
        return
      case 'nodeChanged':
        this.#read('changed', [event.nodeId])
        return
      case 'nodeRemoved':
        this.#rows.forget(event.nodeId)
        this.#tell({ kind: 'removed', nodeId: event.nodeId, name: event.name })
        return
      case 'reported':
        this.#tell({ kind: 'reported', nodes: event.nodes, at: new Date() })
        return
      case 'missed':
        this.#tell(event)
        for (const stream of this.#streams) this.#newcomers.add(stream)
        void this.#readState()
        return
      case 'clusterAdded':
      case 'tenantAdded':
      case 'tenantRemoved':
        // News of a fleet.
        return
      default:
        this.#tell(event)
    }
  }

  #tell(news: News): void {
    const isForAll = news.kind === 'published'
    for (const stream of this.#streams) {
      if (!isForAll && !stream.isCurious) continue
      stream.put(news)
      this.#dependencies.wakeUps.wake(stream)
    }
  }

  /** Marks the streams of a node, or of all people, for a new permission check. */
  #checkCredentials(nodeId: string | null): void {
    for (const stream of this.#streams) {
      if (stream.nodeId !== nodeId) continue
      stream.checkCredential()
      this.#dependencies.wakeUps.wake(stream)
    }
  }

  #read(kind: 'added' | 'changed', nodeIds: readonly string[]): void {
    for (const stream of this.#streams) {
      if (!stream.isCurious) continue
      this.#rows.want(stream.scope, kind, nodeIds)
      return
    }
  }

  /** Reads the state for all newcomers; a stream that joins during the reading receives it with the next one. */
  async #readState(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    for (let [first] = this.#newcomers; first; [first] = this.#newcomers) {
      const told = this.#newcomers
      this.#newcomers = new Set()
      try {
        const state = await this.#state(first)
        if (this.#heard === 0) this.#heard = state?.wanted ?? 0
        this.#bring(told, state)
      } catch (error) {
        for (const stream of told) stream.fail(error)
      }
    }
    this.#isReading = false
  }

  #bring(streams: Iterable<Follower>, state: { published: number | null } | null): void {
    for (const stream of streams) {
      if (state === null) stream.end()
      else {
        stream.put({ kind: 'state', published: state.published })
        this.#dependencies.wakeUps.wake(stream)
      }
    }
  }

  /** Null when the cluster is gone. */
  async #state({ scope }: Follower): Promise<{ wanted: number; published: number | null } | null> {
    const wanted = await getClusterVersion(scope, this.#clusterId)
    if (wanted === null) return null
    return { wanted, published: await getLatestConfigBundleVersion(scope, this.#clusterId) }
  }

  /** Schedules the next check, at different times for different clusters and instances. */
  #appointLook(): void {
    const delay = this.#dependencies.lookEvery * (0.75 + 0.5 * Math.random())
    this.#nextLook = setTimeout(() => void this.#look(), delay).unref()
  }

  /**
   * Finds changes without an event: a caller lost its permission, the cluster is gone, another instance's notice was
   * lost.
   */
  async #look(): Promise<void> {
    const [first] = this.#streams
    if (!first) return
    try {
      const state = await this.#state(first)
      const wanted = state?.wanted ?? 0
      if (wanted > this.#heard && this.#heard > 0) this.#tell({ kind: 'missed' })
      this.#heard = Math.max(this.#heard, wanted)
      for (const stream of this.#streams) stream.checkCredential()
      this.#bring([...this.#streams], state)
    } catch (error) {
      this.#dependencies.log.warn(
        { err: error, clusterId: this.#clusterId },
        'a cluster’s streams could not look for news',
      )
    }
    if (!this.isEmpty) this.#appointLook()
  }
}
