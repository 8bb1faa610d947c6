const MiB = 1024 * 1024

/** How much a slice may have, in bytes where nothing else is said. An agent reads none that has more. */
export const sliceBounds = {
  /** As much as a bundle may have. */
  packed: 10 * MiB,
  unpacked: 64 * MiB,
  /** The files that every node gets: those of an upload (domain/bundles/inspect/limits.ts), and two of the cluster's own. */
  files: 20_482,
  /** Nodes that a manifest counts. */
  nodes: 10_000_000,
  /** A name and a hash of each file. */
  manifest: 10 * MiB,
  signature: 100,
  proof: 16 * 1024,
  /** The shared configuration: an upload's YAML has 1 MiB; the fingerprints of what was revoked are added. */
  config: 4 * MiB,
  /** A node's own settings. */
  nodeConfig: MiB,
  /** PEM; a certificate of Nebula's has 64 KiB at most, and there are two while something is replaced. */
  certificates: 256 * 1024,
} as const
