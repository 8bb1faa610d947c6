import type { Logger } from '../../base/log.ts'
import type { ChangeEvent, ChangeFeed, ClusterEvent } from '../../db/notify/changes.ts'
import { Channel } from './channel.ts'
import { FleetChannel } from './fleet-channel.ts'
import type { FleetNews } from './fleet-mailbox.ts'
import type { Follower, Source } from './stream.ts'
import { WakeUps } from './wake-ups.ts'

interface Options {
  readonly log: Pick<Logger, 'warn'>
  /** The average number of milliseconds between two checks of a cluster for missed events. */
  readonly lookEvery?: number
  /** The minimum number of milliseconds between two readings of a fleet's figures. */
  readonly readEvery?: number
}

/**
 * The live streams of this process. One listener receives the database's events and passes each to the streams of its
 * cluster. Data that all streams of a cluster need is read once for all of them.
 */
export class LiveClusters {
  readonly #channels = new Map<string, Channel>()
  /** By tenant and the clusters that the callers are limited to. */
  readonly #fleets = new Map<string, FleetChannel>()
  readonly #wakeUps = new WakeUps()
  readonly #options: Required<Options>
  readonly #unlisten: () => void
  #isStopped = false

  constructor(changes: ChangeFeed, { log, lookEvery = 30_000, readEvery = 1000 }: Options) {
    this.#options = { log, lookEvery, readEvery }
    this.#unlisten = changes.listen((event) => this.#hear(event))
  }

  /** The events for a cluster's streams. The caller has checked that the cluster is in the stream's scope. */
  of(clusterId: string): Source {
    const make = () => new Channel(clusterId, { ...this.#options, wakeUps: this.#wakeUps })
    return { join: (stream) => this.#join({ channels: this.#channels, key: clusterId, make }, stream) }
  }

  /**
   * The events of all clusters, or of one tenant's, for a fleet's streams. The caller has checked that these are in the
   * stream's scope.
   * @param clusterIds what the caller is limited to: only streams with the same limit are read for together
   */
  ofFleet(tenantId: string | null, clusterIds: readonly string[] | null): Source<FleetNews> {
    const key = JSON.stringify([tenantId, clusterIds])
    const make = () => new FleetChannel(tenantId, { ...this.#options, wakeUps: this.#wakeUps })
    return { join: (stream) => this.#join({ channels: this.#fleets, key, make }, stream) }
  }

  /** Ends every stream, including each one that begins later. */
  stop(): void {
    this.#isStopped = true
    this.#unlisten()
    for (const channel of [...this.#channels.values(), ...this.#fleets.values()]) channel.end()
  }

  #join<Key, Told>({ channels, key, make }: Place<Key, Told>, stream: Follower<Told>): () => void {
    if (this.#isStopped) {
      stream.end()
      return () => undefined
    }
    const joined = channels.get(key) ?? make()
    channels.set(key, joined)
    joined.add(stream)
    return () => {
      joined.delete(stream)
      if (joined.isEmpty && channels.get(key) === joined) channels.delete(key)
    }
  }

  #hear(event: ChangeEvent): void {
    if (isOfCluster(event)) this.#channels.get(event.clusterId)?.hear(event)
    else for (const channel of this.#channels.values()) channel.hear(event)
    for (const fleet of this.#fleets.values()) fleet.hear(event)
  }
}

/** Streams that hear the same. */
interface Joinable<Told> {
  readonly isEmpty: boolean
  add(stream: Follower<Told>): void
  delete(stream: Follower<Told>): void
}

/** Where a stream joins: the channel of the key, made for the first stream. */
interface Place<Key, Told> {
  readonly channels: Map<Key, Joinable<Told>>
  readonly key: Key
  readonly make: () => Joinable<Told>
}

const isOfCluster = (event: ChangeEvent): event is ClusterEvent => 'clusterId' in event
