import { EventEmitter } from 'node:events'

/** What happened to a cluster, told after it was committed. */
export type ClusterEvent =
  /** Something that its nodes must run was changed: a version is to be compiled. */
  | { readonly kind: 'changed'; readonly clusterId: string }
  /** A version was published. */
  | { readonly kind: 'published'; readonly clusterId: string; readonly version: number }
  /** Nodes were seen; `appliedVersion` is the version that one runs since, null when it runs what it ran. */
  | {
      readonly kind: 'reported'
      readonly clusterId: string
      readonly nodes: readonly { readonly nodeId: string; readonly appliedVersion: number | null }[]
    }

/**
 * The news of one database's clusters, within this process. It says that something happened, not what is stored: whoever
 * hears of it reads the rows, and whoever was not listening (a restart, another instance) finds the same by reading.
 */
export class ChangeFeed {
  readonly #emitter = new EventEmitter().setMaxListeners(0)

  /** Tells everybody who listens now. Call it after the commit. */
  emit(event: ClusterEvent): void {
    this.#emitter.emit('event', event)
  }

  /** Listens until the returned function is called. A listener does not throw and does not wait. */
  listen(listener: (event: ClusterEvent) => void): () => void {
    this.#emitter.on('event', listener)
    return () => this.#emitter.off('event', listener)
  }
}
