import { sliceBounds } from '../../nebula/bundle/slice-bounds.ts'

const KiB = 1024

/**
 * How much the agent accepts from the network: its control plane may be compromised, and so may a proxy in front of it.
 * The bounds of a slice's content are in nebula/bundle/slice-bounds.ts.
 */
export const bounds = {
  /** Milliseconds for one request with its whole answer; for the stream of events, with only the head of its answer. */
  request: 30_000,
  /** Bytes of an answer's status line and header fields. */
  head: 16 * KiB,
  /** Bytes of a GraphQL answer. The largest, an enrollment's, has some kilobytes. */
  graphql: 1024 * KiB,
  /** Bytes of a slice, compressed. */
  slice: sliceBounds.packed,
  /** The longest `Retry-After` that the agent obeys, in seconds. */
  retryAfter: 3600,
  /** Characters that are kept of the control plane's error messages. */
  words: 500,
  /** Characters of a problem in the log and in the report; the control plane accepts no more. */
  report: 2000,
  /** Characters of a node's name. */
  name: 255,
  /** Milliseconds from one check for news to the next, however often the bell rings. */
  betweenLooks: 250,
  stream: {
    /** Milliseconds without a byte, pings included, after which a connection counts as dead: it may have been cut silently. */
    silence: 60_000,
    /** Characters of one event that is not complete yet: the agents' events have about fifty. */
    event: 64 * KiB,
    /** Bytes in any minute: two versions a second, the most that a cluster publishes, use a hundredth of it. */
    minute: 1024 * KiB,
  },
} as const
