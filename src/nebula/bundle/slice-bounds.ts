const MiB = 1024 * 1024

/** The limits of a slice, in bytes unless something else is said. An agent rejects a slice that exceeds one. */
export const sliceBounds = {
  /** As much as a bundle may have. */
  packed: 10 * MiB,
  unpacked: 64 * MiB,
  /** The files that every node gets: those of an upload (domain/bundles/inspect/limits.ts), and two of the cluster's own. */
  files: 20_482,
  /** Nodes that a manifest counts. */
  nodes: 10_000_000,
  /** A name and a hash for each file. */
  manifest: 10 * MiB,
  signature: 100,
  proof: 16 * 1024,
  /** The shared configuration: an upload's YAML has 1 MiB; the fingerprints of revoked certificates are added. */
  config: 4 * MiB,
  /** A node's own settings. */
  nodeConfig: MiB,
  /** PEM; a Nebula certificate has 64 KiB at most, and there are two during a replacement. */
  certificates: 256 * 1024,
} as const
