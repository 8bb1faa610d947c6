import type { ReplicaEvent } from '../../db/notify/changes.ts'
import type { Node } from '../../db/client/types.ts'

/** The events of a cluster's streams; rows are read once for all of them. */
export type News =
  /** The published version (null before the first), for new streams and at each check. */
  | { readonly kind: 'state'; readonly published: number | null }
  | { readonly kind: 'published'; readonly version: number }
  | { readonly kind: 'added' | 'changed'; readonly node: Node }
  | { readonly kind: 'removed'; readonly nodeId: string; readonly name: string }
  | { readonly kind: 'reported'; readonly nodes: readonly Report[]; readonly at: Date }
  | ReplicaEvent
  /** Too many events happened to send each. */
  | { readonly kind: 'missed' }

interface Report {
  readonly nodeId: string
  readonly appliedVersion: number | null
}

/** The waiting events of one stream's reader: limited, even when the reader is slow. */
export interface Mailbox<T, Told = News> {
  /** Adds an event; cheap, since all streams of a cluster are served in one go. */
  put(news: Told): void
  readonly isEmpty: boolean
  /** Removes the next event, merged from all that were added; call it only while the mailbox is not empty. */
  take(): T
}
