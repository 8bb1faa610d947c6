import type { Logger } from '../../base/log.ts'
import type { ChangeEvent, ChangeFeed, ClusterEvent } from '../../db/notify/changes.ts'
import { Channel } from './channel.ts'
import type { Follower, Source } from './stream.ts'
import { Waker } from './waker.ts'

interface Options {
  readonly log: Pick<Logger, 'warn'>
  /** Milliseconds between two looks of a cluster at what nobody told of, about. */
  readonly lookEvery?: number
}

/**
 * The live streams of this process: one listener for the database's news, which hands each event to the streams of its
 * cluster. What all streams of a cluster need is read once for all of them.
 */
export class LiveClusters {
  readonly #channels = new Map<string, Channel>()
  readonly #waker = new Waker()
  readonly #options: Required<Options>
  readonly #unlisten: () => void
  #isStopped = false

  constructor(changes: ChangeFeed, { log, lookEvery = 30_000 }: Options) {
    this.#options = { log, lookEvery }
    this.#unlisten = changes.listen((event) => this.#hear(event))
  }

  /** Where the streams of a cluster get their news. The caller has seen that the cluster is in the stream's scope. */
  of(clusterId: string): Source {
    return { join: (stream) => this.#join(clusterId, stream) }
  }

  /** Ends every stream, and each that begins from now on. */
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
      channel = new Channel(clusterId, { ...this.#options, waker: this.#waker })
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
