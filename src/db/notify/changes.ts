/** An event of a cluster, emitted after its commit. */
export type ClusterEvent =
  /** The nodes' configuration changed, so a version must be compiled. `version` is the wanted one now. */
  | { readonly kind: 'changed'; readonly clusterId: string; readonly version: number }
  /** A version was published. */
  | { readonly kind: 'published'; readonly clusterId: string; readonly version: number }
  | { readonly kind: 'nodesAdded'; readonly clusterId: string; readonly nodeIds: readonly string[] }
  /** A node's row changed: its settings, its groups, its certificate. */
  | { readonly kind: 'nodeChanged'; readonly clusterId: string; readonly nodeId: string }
  | { readonly kind: 'nodeRemoved'; readonly clusterId: string; readonly nodeId: string; readonly name: string }
  /** Nodes reported; `appliedVersion` is the version that a node newly runs, null when it was only seen. */
  | {
      readonly kind: 'reported'
      readonly clusterId: string
      readonly nodes: readonly { readonly nodeId: string; readonly appliedVersion: number | null }[]
    }
  /** A cluster was created. */
  | { readonly kind: 'clusterAdded'; readonly clusterId: string }
  /** Credentials became invalid: those of one node, of enrolling machines, or (the cluster is gone) of all callers. */
  | {
      readonly kind: 'ended'
      readonly clusterId: string
      readonly whose: { nodeId: string } | 'enrolling' | 'everybody'
    }

/** Events of the control plane's instances, which belong to no cluster. */
export type ReplicaEvent =
  | { readonly kind: 'replicaUp'; readonly replicaId: string; readonly address: string }
  | { readonly kind: 'replicaDown'; readonly replicaId: string }

/** Events of tenants. The clusters of a removed one have ended before. */
export type TenantEvent = { readonly kind: 'tenantAdded' | 'tenantRemoved'; readonly tenantId: string }

/** A person signed out, or was revoked: a credential ended that may have opened streams of any cluster. */
interface SessionEvent {
  readonly kind: 'signedOut'
}

/** Events of a database; `missed` says that this process may have missed some. */
export type ChangeEvent = ClusterEvent | ReplicaEvent | TenantEvent | SessionEvent | { readonly kind: 'missed' }

/** `isOwn`: it happened in this process; otherwise another instance of the same database sent it. */
type Listener = (event: ChangeEvent, isOwn: boolean) => void

/**
 * The events of one database's clusters and instances. An event says that something happened, without the stored data:
 * a listener reads the rows, and one that missed events (a restart, a lost connection) finds the same by reading.
 */
export class ChangeFeed {
  readonly #listeners = new Set<Listener>()

  /** Passes an event to all current listeners. Call it after the commit. */
  emit(event: ChangeEvent): void {
    for (const listener of this.#listeners) listener(event, true)
  }

  /** Passes on an event of another instance. */
  deliver(event: ChangeEvent): void {
    for (const listener of this.#listeners) listener(event, false)
  }

  /** Listens until the returned function is called. A listener must not throw or wait. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
