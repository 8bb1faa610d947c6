import type { ReplicaEvent } from '../../db/notify/changes.ts'
import type { Node } from '../../db/client/types.ts'

/** What a cluster's streams are told; rows are read once for all of them. */
export type News =
  /** What is published now (null: nothing yet), for those who just came and at each look. */
  | { readonly kind: 'state'; readonly published: number | null }
  | { readonly kind: 'published'; readonly version: number }
  | { readonly kind: 'added' | 'changed'; readonly node: Node }
  | { readonly kind: 'removed'; readonly nodeId: string; readonly name: string }
  | { readonly kind: 'reported'; readonly nodes: readonly Report[]; readonly at: Date }
  | ReplicaEvent
  /** More happened than is told one by one. */
  | { readonly kind: 'missed' }

interface Report {
  readonly nodeId: string
  readonly appliedVersion: number | null
}

/** What waits for one stream's reader: bounded, however much happens while it does not read. */
export interface Mailbox<T> {
  /** Takes note of news; cheap, since all streams of a cluster are told in one go. */
  put(news: News): void
  readonly isEmpty: boolean
  /** Takes out what is to be told next, merged from all that was put; only while it is not empty. */
  take(): T
}
