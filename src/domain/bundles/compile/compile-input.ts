import type { ResignedNode } from '../../../db/writes/certificates.ts'
import type { Firewall } from '../../clusters/firewall.ts'
import type { SharedPart } from './shared-part.ts'

/** A node as its configuration needs it. Plain data, like all input of the compiler, since it is sent to a thread. */
export interface CompileNode {
  readonly id: string
  readonly name: string
  /** Its address in the overlay, without the prefix length. */
  readonly overlayIp: string
  /** Bytes. */
  readonly mtu: number
  /** The networks behind the node, in canonical CIDR notation. */
  readonly routes: readonly string[]
  readonly groups: readonly string[]
  readonly isLighthouse: boolean
  /** Where the underlay reaches a lighthouse; without it, no node finds the lighthouse. */
  readonly lighthousePublicIp: string | null
  /** UDP port of a lighthouse; null for the cluster's default. */
  readonly lighthousePort: number | null
  readonly isRelay: boolean
  /** PEM; null for a node that never sent one. */
  readonly publicKey: string | null
  /** PEM, one block or one of each version; a node without a certificate is left out of the bundle. */
  readonly certificate: string | null
  readonly certificateFingerprint: string | null
}

/** The input that a bundle's files depend on. */
export interface RenderInput {
  /** 1, or 2 when all nodes run Nebula 1.10 or newer. */
  readonly certificateVersion: 1 | 2
  /** The cluster's default UDP port of lighthouses. */
  readonly lighthousePort: number
  readonly firewall: Firewall
  /** Fingerprints of revoked certificates. */
  readonly blocklist: readonly string[]
  /** PEM of the CAs that nodes trust, the current one first. */
  readonly cas: readonly string[]
  /** The shared configuration in force, as `sharedPart` extracted it from a bundle; null for Orrery's own. */
  readonly shared: SharedPart | null
  readonly nodes: readonly CompileNode[]
}

/** The complete input of a bundle. */
export interface CompileInput extends RenderInput {
  readonly clusterId: string
  /** The config version that the bundle is compiled from. */
  readonly version: number
  readonly createdAt: Date
  /** The overlay network, such as `10.42.0.0/16`. */
  readonly networkCidr: string
  /** The cluster's bundle-signing key: PKCS #8 in DER, base64. */
  readonly signingKey: string
  /** The time that certificates are signed at. */
  readonly now: Date
  readonly certificateLifetimeSeconds: number
  /**
   * The current CA with its key, both PEM. When it is given, nodes whose certificate was signed by another CA, or has
   * another version than the cluster's, are signed again.
   */
  readonly signer: { readonly caCertificate: string; readonly caKeyPem: string } | null
}

export interface CompiledBundle {
  /** tar.gz, at most 10 MiB; the same bytes for the same input. */
  readonly data: Uint8Array<ArrayBuffer>
  /** Of `data`, in hexadecimal. */
  readonly sha256: string
  /** Bytes of `data`. */
  readonly size: number
  /** How many nodes the bundle contains: those that hold a certificate. */
  readonly nodeCount: number
  readonly resigned: readonly ResignedNode[]
  /** Nodes that were due for a new certificate but kept theirs, with the rule that their request breaks. */
  readonly problems: readonly { readonly nodeId: string; readonly message: string }[]
}
