/** What happened to a cluster, told after it was committed. */
export type ClusterEvent =
  /** Something that its nodes must run was changed: a version is to be compiled. `version` is the one that is wanted now. */
  | { readonly kind: 'changed'; readonly clusterId: string; readonly version: number }
  /** A version was published. */
  | { readonly kind: 'published'; readonly clusterId: string; readonly version: number }
  | { readonly kind: 'nodesAdded'; readonly clusterId: string; readonly nodeIds: readonly string[] }
  /** A node's row is another: its settings, its groups, its certificate. */
  | { readonly kind: 'nodeChanged'; readonly clusterId: string; readonly nodeId: string }
  | { readonly kind: 'nodeRemoved'; readonly clusterId: string; readonly nodeId: string; readonly name: string }
  /** Nodes were heard of; `appliedVersion` is the version that one newly runs, null when it was only seen. */
  | {
      readonly kind: 'reported'
      readonly clusterId: string
      readonly nodes: readonly { readonly nodeId: string; readonly appliedVersion: number | null }[]
    }
  /** Credentials do not hold any more: those of one node, of enrolling machines, or (the cluster is gone) of everybody. */
  | {
      readonly kind: 'ended'
      readonly clusterId: string
      readonly whose: { nodeId: string } | 'enrolling' | 'everybody'
    }

/** What happened to the instances of the control plane, which belong to no cluster. */
export type ReplicaEvent =
  | { readonly kind: 'replicaUp'; readonly replicaId: string; readonly address: string }
  | { readonly kind: 'replicaDown'; readonly replicaId: string }

/** Somebody signed out: a session ended that streams may have been opened with, of whatever cluster. */
interface SessionEvent {
  readonly kind: 'signedOut'
}

/** News of a database; `missed` says that there may have been news which this process was not told. */
export type ChangeEvent = ClusterEvent | ReplicaEvent | SessionEvent | { readonly kind: 'missed' }

/** `isOwn`: it happened in this process; otherwise another instance of the same database told of it. */
type Listener = (event: ChangeEvent, isOwn: boolean) => void

/**
 * The news of one database's clusters and instances. It says that something happened, not what is stored: whoever hears
 * of it reads the rows, and whoever was not listening (a restart, a lost connection) finds the same by reading.
 */
export class ChangeFeed {
  readonly #listeners = new Set<Listener>()

  /** Tells everybody who listens now. Call it after the commit. */
  emit(event: ChangeEvent): void {
    for (const listener of this.#listeners) listener(event, true)
  }

  /** Passes on what another instance told. */
  relay(event: ChangeEvent): void {
    for (const listener of this.#listeners) listener(event, false)
  }

  /** Listens until the returned function is called. A listener does not throw and does not wait. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
