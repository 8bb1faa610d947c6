import type { Cluster, Node } from '../../db/client/types.ts'
import type { CertificateAuthority } from '../../pki/ca.ts'
import { parsePublicKey } from '../../pki/keys.ts'
import { signerOf, withPki } from '../pki/cluster-ca.ts'
import type { NodeChange } from '../nodes/node-change.ts'
import {
  assertFewCertificates,
  assertSignable,
  certificatesOf,
  signIdentity,
  superseding,
  type Identity,
} from './node-certificate.ts'
import { revoke, type Revoked } from './revocation.ts'
import { routesOf } from '../nodes/routes.ts'
import type { Vault } from '../pki/vault.ts'

/** The certified values of a node that a change may set. */
interface Changed {
  readonly name?: string
  readonly routes?: readonly string[]
  readonly groups?: readonly string[]
}

/** What a signature changes: the columns of the node, and the certificates that must not be trusted any more. */
export interface Renewal {
  readonly columns: Partial<Identity & { readonly supersededCertificates: Record<string, string> }>
  readonly revoked: readonly Revoked[]
}

/**
 * Signs a node's certificate again when its content changes. The previous one is to be revoked if it grants more than
 * the new one; if it grants less, it is harmless. A node without a key, or one that is blocked, receives no certificate.
 * @param signer opens the cluster's CA
 * @throws ValidationError when the CA does not allow it, ConflictError when it has expired
 */
export function renewal(signer: () => CertificateAuthority, cluster: Cluster, node: Node, changed: Changed): Renewal {
  const { name, overlayIp, publicKey } = node
  const before = { name, routes: routesOf(node), groups: groupsOf(node) }
  const certified = { overlayIp, ...before, ...changed }
  if (publicKey === null || node.blockedAt !== null) {
    assertSignable(cluster, certified)
    return { columns: {}, revoked: [] }
  }
  assertFewCertificates(node)
  const identity = signIdentity(signer(), cluster, { ...certified, publicKey: parsePublicKey(publicKey) })
  const lost = (kind: 'routes' | 'groups') => before[kind].some((one) => !certified[kind].includes(one))
  // A rule for the former name, or another node that takes it, must not mean the holder of the old certificate.
  const isRevoked = certified.name !== name || lost('routes') || lost('groups')
  return {
    columns: { ...identity, supersededCertificates: superseding(node) },
    revoked: isRevoked ? certificatesOf(node) : [],
  }
}

/**
 * The same as part of the change of one node.
 * @returns the columns to write
 * @throws ValidationError, ConflictError as `renewal`
 */
export function renewed(vault: Vault, change: NodeChange, changed: Changed): Renewal['columns'] {
  const { node } = change
  const signer = () => signerOf(vault, withPki(vault, change).cluster)
  const { columns, revoked } = renewal(signer, change.cluster, node, changed)
  revoke(change, revoked)
  return columns
}

/** The groups of a row; only this layer writes them, as a list of strings. */
export const groupsOf = ({ groups }: Pick<Node, 'groups'>): readonly string[] => groups as string[]
