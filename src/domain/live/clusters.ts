import type { Logger } from '../../base/log.ts'
import type { ChangeEvent, ChangeFeed, ClusterEvent } from '../../db/notify/changes.ts'
import { Channel } from './channel.ts'
import type { Follower, Source } from './stream.ts'
import { WakeUps } from './wake-ups.ts'

interface Options {
  readonly log: Pick<Logger, 'warn'>
  /** The average number of milliseconds between two checks of a cluster for missed events. */
  readonly lookEvery?: number
}

/**
 * The live streams of this process. One listener receives the database's events and passes each to the streams of its
 * cluster. Data that all streams of a cluster need is read once for all of them.
 */
export class LiveClusters {
  readonly #channels = new Map<string, Channel>()
  readonly #wakeUps = new WakeUps()
  readonly #options: Required<Options>
  readonly #unlisten: () => void
  #isStopped = false

  constructor(changes: ChangeFeed, { log, lookEvery = 30_000 }: Options) {
    this.#options = { log, lookEvery }
    this.#unlisten = changes.listen((event) => this.#hear(event))
  }

  /** The events for a cluster's streams. The caller has checked that the cluster is in the stream's scope. */
  of(clusterId: string): Source {
    return { join: (stream) => this.#join(clusterId, stream) }
  }

  /** Ends every stream, including each one that begins later. */
  stop(): void {
    this.#isStopped = true
    this.#unlisten()
    for (const channel of [...this.#channels.values()]) channel.end()
  }

  #join(clusterId: string, stream: Follower): () => void {
    if (this.#isStopped) {
      stream.end()
      return () => undefined
    }
    let channel = this.#channels.get(clusterId)
    if (!channel) {
      channel = new Channel(clusterId, { ...this.#options, wakeUps: this.#wakeUps })
      this.#channels.set(clusterId, channel)
    }
    const joined = channel
    joined.add(stream)
    return () => {
      joined.delete(stream)
      if (joined.isEmpty && this.#channels.get(clusterId) === joined) this.#channels.delete(clusterId)
    }
  }

  #hear(event: ChangeEvent): void {
    if (isOfCluster(event)) this.#channels.get(event.clusterId)?.hear(event)
    else for (const channel of this.#channels.values()) channel.hear(event)
  }
}

const isOfCluster = (event: ChangeEvent): event is ClusterEvent => 'clusterId' in event
