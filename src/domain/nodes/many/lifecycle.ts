import * as z from 'zod'

import type { Scope } from '../../../auth/scope.ts'
import type { NodeToken, Tokens } from '../../../auth/tokens.ts'
import type { Node } from '../../../db/client/types.ts'
import { parsePublicKey } from '../../../pki/keys.ts'
import { signerOf } from '../../pki/cluster-ca.ts'
import type { Vault } from '../../pki/vault.ts'
import { endNodesFormerTokens, keepNodesTokens, replacementOf, type Grace } from '../../credentials/former-tokens.ts'
import { check, shortLineRule } from '../../shared/rules.ts'
import { assertFewCertificates, certificatesOf, signIdentity, superseding } from '../../signing/node-certificate.ts'
import { groupsOf } from '../../signing/node-signing.ts'
import { hintAfterRelease } from '../node-addresses.ts'
import { assertAdminsRemain } from '../node-change.ts'
import { routesOf } from '../routes.ts'
import { changeNodes, changeNodesInNeed, emitChanged, type NodesOutcome, type NodesWork } from './change-nodes.ts'

/**
 * Deletes nodes of one cluster, as deleteNode does with one.
 * @throws as changeNodes; ConflictError when an admin node would leave its cluster without an admin
 */
export async function deleteNodes(scope: Scope, clusterId: string, ids: readonly string[]): Promise<NodesOutcome> {
  const work = removal(scope, clusterId, { what: 'deleted', isGone: () => true })
  const outcome = await changeNodes(scope, clusterId, ids, work)
  emitRemoved(scope, outcome)
  return outcome
}

/**
 * Removes those of some nodes of one cluster that nobody misses: decided under the cluster's lock, since any of them may
 * have come back. If all have, nothing changes, not even the version.
 * @returns how many were removed
 * @throws as changeNodes
 */
export async function removeGone(
  scope: Scope,
  clusterId: string,
  ids: readonly string[],
  isGone: (node: Node) => boolean,
): Promise<number> {
  const work = removal(scope, clusterId, { what: 'removed, not seen any more', isGone })
  const outcome = await changeNodesInNeed(scope, clusterId, ids, work)
  if (outcome === null) return 0
  emitRemoved(scope, outcome)
  return outcome.changed.size
}

interface Removal {
  /** For the next bundle's message. */
  readonly what: string
  readonly isGone: (node: Node) => boolean
}

/** The one way in which many nodes go: their certificates are revoked, and their addresses are free again. */
function removal(scope: Scope, clusterId: string, { what, isGone }: Removal): NodesWork {
  return {
    what,
    decide: () => (node) => (isGone(node) ? { values: {}, revoked: certificatesOf(node) } : null),
    also: async ({ tx, cluster, set }, nodes) => {
      await assertAdminsRemain(scope, tx, nodes)
      const nextOverlayIp = nodes.reduce(
        (next, { overlayIp }) => hintAfterRelease({ ...cluster, nextOverlayIp: next }, overlayIp),
        cluster.nextOverlayIp,
      )
      set({ nextOverlayIp })
    },
    write: async ({ tx }, some) => {
      await tx.node.deleteMany({ where: { id: { in: [...some] }, clusterId } })
    },
  }
}

function emitRemoved(scope: Scope, { cluster: { id: clusterId }, nodes }: NodesOutcome): void {
  for (const { id: nodeId, name } of nodes) {
    scope.changes.emit({ kind: 'nodeRemoved', clusterId, nodeId, name })
    scope.changes.emit({ kind: 'ended', clusterId, whose: { nodeId } })
  }
}

/**
 * Replaces the tokens of nodes of one cluster, as rotateNodeToken does with one. The tokens are returned only here.
 * @throws as changeNodes
 */
export async function rotateNodeTokens(
  scope: Scope,
  tokens: Tokens,
  clusterId: string,
  { ids, ...grace }: Grace & { readonly ids: readonly string[] },
): Promise<NodesOutcome & { readonly tokens: ReadonlyMap<string, NodeToken> }> {
  const replacement = replacementOf(scope, grace)
  const made = new Map(ids.map((id) => [id, tokens.newNodeToken()]))
  const outcome = await changeNodes(scope, clusterId, ids, {
    what: 'new token',
    decide: () => (node) => {
      const one = made.get(node.id)
      return one ? { values: { tokenHash: one.hash } } : null
    },
    afterwards: ({ tx }, nodes) => keepNodesTokens(tx, nodes, replacement),
  })
  emitChanged(scope, outcome)
  for (const nodeId of outcome.changed) scope.changes.emit({ kind: 'ended', clusterId, whose: { nodeId } })
  return { ...outcome, tokens: new Map([...made].map(([id, { token }]) => [id, token])) }
}

const reasonRules = z.object({ reason: shortLineRule(200).optional() })

/**
 * Cuts nodes of one cluster off: their certificates are revoked and taken from them, the others forget them as if they
 * were deleted, and their tokens are refused. The rows stay, with names, addresses and keys. See docs/decisions.md.
 * @throws as changeNodes; ConflictError when an admin node would leave its cluster without an admin
 */
export async function blockNodes(
  scope: Scope,
  clusterId: string,
  ids: readonly string[],
  input: { readonly reason?: string | undefined },
): Promise<NodesOutcome> {
  const { reason = '' } = check(reasonRules, input)
  const blockedAt = new Date()
  const outcome = await changeNodes(scope, clusterId, ids, {
    what: reason === '' ? 'blocked' : `blocked (${reason})`,
    decide: () => (node) => {
      if (node.blockedAt !== null) return null
      // With the certificate gone, no renewal, no rotation of the CA and no compilation can give the node one again.
      const identity = { certificate: null, certificateFingerprint: null, certificateExpiresAt: null }
      const values = { blockedAt, ...identity, supersededCertificates: superseding(node) }
      return { values, revoked: certificatesOf(node) }
    },
    also: ({ tx }, nodes) => assertAdminsRemain(scope, tx, nodes),
    afterwards: ({ tx }) => endNodesFormerTokens(tx, ids),
  })
  emitChanged(scope, outcome)
  for (const nodeId of outcome.changed) scope.changes.emit({ kind: 'ended', clusterId, whose: { nodeId } })
  return outcome
}

/**
 * Lets blocked nodes of one cluster in again: those that have sent a key get a new certificate for it. The revoked ones
 * stay revoked: nobody needs them, and some may have been revoked for another reason.
 * @throws as changeNodes
 */
export async function unblockNodes(
  scope: Scope,
  vault: Vault,
  clusterId: string,
  ids: readonly string[],
): Promise<NodesOutcome> {
  const outcome = await changeNodes(scope, clusterId, ids, {
    what: 'unblocked',
    decide: (cluster) => {
      let ca: ReturnType<typeof signerOf> | null = null
      return (node) => {
        if (node.blockedAt === null) return null
        if (node.publicKey === null) return { values: { blockedAt: null } }
        assertFewCertificates(node)
        ca ??= signerOf(vault, cluster)
        const publicKey = parsePublicKey(node.publicKey)
        const { name, overlayIp } = node
        const certified = { name, overlayIp, routes: routesOf(node), groups: groupsOf(node), publicKey }
        return { values: { blockedAt: null, ...signIdentity(ca, cluster, certified) } }
      }
    },
  })
  emitChanged(scope, outcome)
  return outcome
}
