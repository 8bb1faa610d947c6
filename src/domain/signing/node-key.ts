import * as z from 'zod'

import { NotFoundError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster, Node } from '../../db/client/types.ts'
import { formatPublicKey, type NodePublicKey } from '../../pki/keys.ts'
import { signerOf, withPki, type PkiChange } from '../pki/cluster-ca.ts'
import { keyInUse, trustOf, type ClusterTrust } from '../nodes/enrollment.ts'
import { assertReads } from '../clusters/nebula-versions.ts'
import { changeNode } from '../nodes/node-change.ts'
import {
  assertFewCertificates,
  assertNotBlocked,
  certificatesOf,
  forNode,
  readPublicKey,
  signIdentity,
  superseding,
} from './node-certificate.ts'
import { groupsOf } from './node-signing.ts'
import { revoke } from './revocation.ts'
import { routesOf } from '../nodes/routes.ts'
import { check, nebulaVersionRule } from '../shared/rules.ts'
import type { Vault } from '../pki/vault.ts'

const rules = z.object({ nebulaVersion: nebulaVersionRule.optional() })

/**
 * Signs a node's certificate for the key that it sends. For the key it already has, only the validity changes. That
 * concerns no other node, so there is no new version. A first or different key is a change of the cluster, and the
 * previous key's certificate is revoked.
 * @throws ValidationError at `input.publicKey`, NotFoundError, ConflictError when another node has the key, when Nebula
 * is too old for the cluster, or when the CA does not allow the node's values
 */
export async function renewNodeCertificate(
  scope: Scope,
  vault: Vault,
  nodeId: string,
  { publicKey: pem, ...input }: { publicKey: string; nebulaVersion?: string | undefined },
): Promise<{ node: Node; trust: ClusterTrust }> {
  const { nebulaVersion } = check(rules, input)
  const key = readPublicKey(pem)
  const given = { key, pem: formatPublicKey(key), nebulaVersion: nebulaVersion ?? null }
  const renewed = await renewSame(scope, vault, nodeId, given)
  if (renewed === null) return replaceKey(scope, vault, nodeId, given)
  scope.changes.emit({ kind: 'nodeChanged', clusterId: renewed.node.clusterId, nodeId })
  return renewed
}

interface GivenKey {
  readonly key: NodePublicKey
  readonly pem: string
  readonly nebulaVersion: string | null
}

/** Null when the node has another key, or when its cluster has no keys yet. */
const renewSame = (scope: Scope, vault: Vault, id: string, given: GivenKey) =>
  scope.db.$transaction(async (tx) => {
    const found = await tx.node.findUnique({ where: { id }, select: { clusterId: true, publicKey: true } })
    if (!found) throw new NotFoundError('Node')
    if (found.publicKey !== given.pem) return null
    // Adding zero locks the row: no CA rotation and no change of the node can happen in between.
    const [cluster] = await tx.cluster.updateManyAndReturn({
      where: { id: found.clusterId },
      data: { configVersion: { increment: 0 } },
    })
    const node = await tx.node.findUnique({ where: { id } })
    if (!cluster || node?.publicKey !== given.pem || !hasKeys(cluster)) return null
    assertReads(given.nebulaVersion, cluster)
    const data = { ...identityFor(vault, cluster, node, given), supersededCertificates: superseding(node) }
    return { node: await tx.node.update({ where: { id }, data }), trust: trustOf(cluster) }
  })

const replaceKey = (scope: Scope, vault: Vault, id: string, given: GivenKey) =>
  changeNode(scope, id, 'new key', async (change) => {
    const { tx, node } = change
    const { cluster } = withPki(vault, change)
    assertReads(given.nebulaVersion, cluster)
    const where = { tenantId: cluster.tenantId, clusterId: cluster.id, publicKey: given.pem, id: { not: id } }
    if (await tx.node.findFirst({ where, select: { id: true } })) throw keyInUse()
    if (node.publicKey !== given.pem) revoke(change, certificatesOf(node))
    const supersededCertificates = superseding(node)
    const data = { publicKey: given.pem, supersededCertificates, ...identityFor(vault, cluster, node, given) }
    return { node: await tx.node.update({ where: { id }, data }), trust: trustOf(cluster) }
  })

function identityFor(vault: Vault, cluster: PkiChange['cluster'], node: Node, { key, nebulaVersion }: GivenKey) {
  assertNotBlocked(node)
  assertFewCertificates(node)
  const certified = { ...node, routes: routesOf(node), groups: groupsOf(node), publicKey: key }
  const identity = forNode(() => signIdentity(signerOf(vault, cluster), cluster, certified))
  return { ...identity, ...(nebulaVersion === null ? {} : { nebulaVersion }) }
}

const hasKeys = (cluster: Cluster): cluster is PkiChange['cluster'] =>
  cluster.pkiCaCert !== null &&
  cluster.pkiCaKey !== null &&
  cluster.bundleSigningKey !== null &&
  cluster.bundlePublicKey !== null
