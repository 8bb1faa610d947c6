import type { NodePresence, NodeReport, WrittenPresence } from '../../db/writes/presence.ts'

/** The state of one node that is not in its row yet. */
export interface PendingNode {
  /** Milliseconds since 1970. */
  readonly seenAt: number
  /** The cluster of a node that reported; null when the node was only seen. */
  readonly clusterId: string | null
  readonly report: NodeReport | null
}

/** The latest state of each node that must be written: one entry per node, however often it reports. */
export class Pending {
  readonly #nodes: Map<string, PendingNode>

  constructor(nodes: Iterable<readonly [string, PendingNode]> = []) {
    this.#nodes = new Map(nodes)
  }

  get size(): number {
    return this.#nodes.size
  }

  get(nodeId: string): PendingNode | undefined {
    return this.#nodes.get(nodeId)
  }

  /** Adds a state that is newer than all previous ones; returns the merged state. */
  add(nodeId: string, newer: PendingNode): PendingNode {
    const older = this.#nodes.get(nodeId)
    const merged = older === undefined ? newer : merge(older, newer)
    this.#nodes.set(nodeId, merged)
    return merged
  }

  /** Puts back states that were not written, of all nodes or of these; newer values take precedence. */
  addOlder(older: Pending, nodeIds: Iterable<string> = older.#nodes.keys()): void {
    for (const nodeId of nodeIds) {
      const before = older.get(nodeId)
      const since = this.#nodes.get(nodeId)
      if (before !== undefined) this.#nodes.set(nodeId, since === undefined ? before : merge(before, since))
    }
  }

  all(): NodePresence[] {
    return Array.from(this.#nodes, ([nodeId, { seenAt, report }]) => ({ nodeId, seenAt, report }))
  }

  /** The clusters that sent reports. */
  reportingClusters(): ReadonlySet<string> {
    const ids = new Set<string>()
    for (const { clusterId } of this.#nodes.values()) if (clusterId !== null) ids.add(clusterId)
    return ids
  }

  /** The changes in the rows that were written, by cluster. */
  changes(written: readonly WrittenPresence[]): Map<string, { nodeId: string; appliedVersion: number | null }[]> {
    const byCluster = new Map<string, { nodeId: string; appliedVersion: number | null }[]>()
    for (const { nodeId, clusterId, versionBefore } of written) {
      const version = this.#nodes.get(nodeId)?.report?.runningConfigVersion ?? null
      const nodes = byCluster.get(clusterId) ?? []
      nodes.push({ nodeId, appliedVersion: version === versionBefore ? null : version })
      byCluster.set(clusterId, nodes)
    }
    return byCluster
  }
}

function merge(older: PendingNode, newer: PendingNode): PendingNode {
  if (newer.report === null) return { ...older, seenAt: newer.seenAt }
  const { runningConfigVersion, nebulaVersion, lastError } = newer.report
  return {
    seenAt: newer.seenAt,
    clusterId: newer.clusterId,
    report: {
      runningConfigVersion: runningConfigVersion ?? older.report?.runningConfigVersion,
      nebulaVersion: nebulaVersion ?? older.report?.nebulaVersion,
      lastError,
    },
  }
}
