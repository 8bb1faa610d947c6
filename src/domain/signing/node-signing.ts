import type { Node } from '../../db/client/types.ts'
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
import { revoke } from './revocation.ts'
import { routesOf } from '../nodes/routes.ts'
import type { Vault } from '../pki/vault.ts'

/** The certified values of a node that a change may set. */
interface Changed {
  readonly name?: string
  readonly routes?: readonly string[]
  readonly groups?: readonly string[]
}

/**
 * Signs a node's certificate again when its content changes, as part of the change. The previous one is revoked if it
 * grants more than the new one; if it grants less, it is harmless. A node without a key receives no certificate.
 * @returns the columns to write
 * @throws ValidationError when the CA does not allow it, ConflictError when it has expired
 */
export function renewed(vault: Vault, change: NodeChange, changed: Changed): Identity | object {
  const { node, cluster } = change
  const { name, overlayIp, publicKey } = node
  const before = { name, routes: routesOf(node), groups: groupsOf(node) }
  const certified = { overlayIp, ...before, ...changed }
  if (publicKey === null) {
    assertSignable(cluster, certified)
    return {}
  }
  assertFewCertificates(node)
  const ready = withPki(vault, change)
  const ca = signerOf(vault, ready.cluster)
  const identity = signIdentity(ca, ready.cluster, { ...certified, publicKey: parsePublicKey(publicKey) })
  const lost = (kind: 'routes' | 'groups') => before[kind].some((one) => !certified[kind].includes(one))
  // A rule for the former name, or another node that takes it, must not mean the holder of the old certificate.
  if (certified.name !== name || lost('routes') || lost('groups')) revoke(change, certificatesOf(node))
  return { ...identity, supersededCertificates: superseding(node) }
}

/** The groups of a row; only this layer writes them, as a list of strings. */
export const groupsOf = ({ groups }: Pick<Node, 'groups'>): readonly string[] => groups as string[]
