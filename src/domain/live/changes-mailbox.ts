import type { ReplicaEvent } from '../../db/notify/changes.ts'
import type { Node } from '../../db/client/types.ts'
import type { Mailbox, News } from './mailbox.ts'

/** One event of a cluster or its nodes, as readers receive it. */
export type ClusterChange =
  /** The stream begins here, or too many events happened to send each: read again. */
  | { readonly kind: 'resync'; readonly publishedVersion: number | null }
  | NodeChange
  | { readonly kind: 'nodesSeen'; readonly nodeIds: readonly string[]; readonly at: Date }
  | { readonly kind: 'versionPublished'; readonly version: number }
  | { readonly kind: 'versionApplied'; readonly version: number; readonly nodeIds: readonly string[] }
  | ReplicaEvent

type NodeChange =
  | { readonly kind: 'nodeAdded'; readonly node: Node }
  | { readonly kind: 'nodeChanged'; readonly node: Node }
  | { readonly kind: 'nodeRemoved'; readonly nodeId: string; readonly name: string }

/** How many nodes and instances may wait for one reader; above that, the reader must read again. */
export const mostWaiting = 1000

/** The waiting events for a reader of a cluster's changes: the latest of each node, and a limited number in total. */
export class ChangesMailbox implements Mailbox<ClusterChange> {
  readonly #hearsOfReplicas: boolean
  #mustResync = false
  #hasBegun = false
  #published: number | null = null
  #toldVersion = 0
  readonly #nodes = new Map<string, NodeChange>()
  readonly #applied = new Map<string, number>()
  readonly #seen = new Set<string>()
  #seenAt = new Date(0)
  readonly #replicas = new Map<string, ReplicaEvent>()

  constructor({ hearsOfReplicas }: { readonly hearsOfReplicas: boolean }) {
    this.#hearsOfReplicas = hearsOfReplicas
  }

  /** The number of waiting events. */
  get size(): number {
    return this.#nodes.size + this.#applied.size + this.#seen.size + this.#replicas.size
  }

  get isEmpty(): boolean {
    return !this.#mustResync && !this.#hasNewVersion && this.size === 0
  }

  put(news: News): void {
    if (news.kind === 'state' || news.kind === 'published') this.#putVersion(news)
    else if (news.kind === 'missed') this.#resync()
    // A reader that must read again needs no single events.
    else if (this.#hasBegun && !this.#mustResync) {
      this.#putChange(news)
      if (this.size > mostWaiting) this.#resync()
    }
  }

  take(): ClusterChange {
    if (this.#mustResync) {
      this.#mustResync = false
      this.#toldVersion = this.#published ?? 0
      return { kind: 'resync', publishedVersion: this.#published }
    }
    if (this.#hasNewVersion) {
      this.#toldVersion = this.#published ?? 0
      return { kind: 'versionPublished', version: this.#toldVersion }
    }
    const [change] = this.#nodes
    if (change) {
      this.#nodes.delete(change[0])
      return change[1]
    }
    return this.#takeApplied() ?? this.#takeSeen() ?? this.#takeReplica()
  }

  get #hasNewVersion(): boolean {
    return this.#hasBegun && (this.#published ?? 0) > this.#toldVersion
  }

  #putVersion(news: Extract<News, { kind: 'state' | 'published' }>): void {
    const version = news.kind === 'state' ? news.published : news.version
    if (version !== null) this.#published = Math.max(this.#published ?? 0, version)
    if (news.kind !== 'state' || this.#hasBegun) return
    this.#hasBegun = true
    this.#mustResync = true
  }

  #resync(): void {
    if (!this.#hasBegun) return
    this.#mustResync = true
    for (const waiting of [this.#nodes, this.#applied, this.#seen, this.#replicas]) waiting.clear()
  }

  #putChange(news: Exclude<News, { kind: 'state' | 'published' | 'missed' }>): void {
    switch (news.kind) {
      case 'added':
      case 'changed': {
        const isNew = news.kind === 'added' || this.#nodes.get(news.node.id)?.kind === 'nodeAdded'
        this.#nodes.set(news.node.id, { kind: isNew ? 'nodeAdded' : 'nodeChanged', node: news.node })
        return
      }
      case 'removed':
        this.#nodes.set(news.nodeId, { kind: 'nodeRemoved', nodeId: news.nodeId, name: news.name })
        this.#applied.delete(news.nodeId)
        this.#seen.delete(news.nodeId)
        return
      case 'reported':
        this.#seenAt = news.at
        for (const { nodeId, appliedVersion } of news.nodes) {
          if (appliedVersion !== null) this.#applied.set(nodeId, appliedVersion)
          this.#seen.add(nodeId)
        }
        return
      default:
        if (this.#hearsOfReplicas) this.#replicas.set(news.replicaId, news)
    }
  }

  /** Takes the nodes that applied one version. */
  #takeApplied(): ClusterChange | null {
    const [first] = this.#applied.values()
    if (first === undefined) return null
    const nodeIds = [...this.#applied].filter(([, version]) => version === first).map(([id]) => id)
    for (const id of nodeIds) this.#applied.delete(id)
    return { kind: 'versionApplied', version: first, nodeIds }
  }

  #takeSeen(): ClusterChange | null {
    if (this.#seen.size === 0) return null
    const nodeIds = [...this.#seen]
    this.#seen.clear()
    return { kind: 'nodesSeen', nodeIds, at: this.#seenAt }
  }

  #takeReplica(): ClusterChange {
    const [replica] = this.#replicas
    if (!replica) throw new Error('nothing waits for the reader')
    this.#replicas.delete(replica[0])
    return replica[1]
  }
}
