import { sliceBounds } from '../../nebula/bundle/slice-bounds.ts'

const KiB = 1024

/**
 * How much of what comes from the network the agent takes: its control plane may be in bad hands, and so may be what
 * stands in front of it. What may be in a slice is in nebula/bundle/slice-bounds.ts.
 */
export const bounds = {
  /** Milliseconds for one request with its whole answer; for the stream of events, with the head of its answer. */
  request: 30_000,
  /** Bytes of an answer's status line and header fields. */
  head: 16 * KiB,
  /** Bytes of an answer of GraphQL's. The largest, an enrolment's, has some kilobytes. */
  graphql: 1024 * KiB,
  /** Bytes of a slice, packed. */
  slice: sliceBounds.packed,
  /** Seconds that the control plane may send its agents away for. */
  retryAfter: 3600,
  /** Characters that are kept of what the control plane says is wrong. */
  words: 500,
  /** Characters of what is wrong, as it is logged, and told to the control plane, which takes no more. */
  report: 2000,
  /** Characters of a node's name. */
  name: 255,
  /** Milliseconds from one look for news to the next, however often something rings for one. */
  betweenLooks: 250,
  stream: {
    /** Milliseconds without a byte, pings included, after which a connection counts as dead: it may have been cut silently. */
    silence: 60_000,
    /** Characters of one event, whose end has not come yet: those that agents are told have some fifty. */
    event: 64 * KiB,
    /** Bytes of any minute: two versions a second, the most that are published of a cluster, have a hundredth of it. */
    minute: 1024 * KiB,
  },
} as const
