import * as z from 'zod'

import type { FormerToken } from '../../auth/holders.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import type { TokenHash } from '../../auth/tokens.ts'
import { newId } from '../../base/ids.ts'
import type { Credential, Node, Prisma, Tx } from '../../db/client/types.ts'
import { noteTerms } from '../audit/recorded.ts'
import { check } from '../shared/rules.ts'

/** `credentials.kind`. */
const kind = 'replaced_token'

/** The longest that a former token works, in seconds: a week. */
const longestGrace = 7 * 86_400

const sentence = 'must be 0 to 604800 seconds (7 days)'
const rules = z.object({
  graceSeconds: z.int('must be a whole number').min(0, sentence).max(longestGrace, sentence).default(0),
})

/** For how long the token that is replaced goes on working. */
export interface Grace {
  /** 0 to a week; 0, not at all, when absent. */
  readonly graceSeconds?: number | undefined
}

/** One replacement of tokens: who replaces them, and until when the former ones work. */
export interface Replacement {
  readonly createdBy: string
  readonly createdAt: Date
  /** Null when the former tokens end at once. */
  readonly expiresAt: Date | null
}

/**
 * Checks the grace of a replacement, and notes it for the audit trail.
 * @throws ValidationError
 */
export function replacementOf(scope: Scope, input: Grace): Replacement {
  const { graceSeconds } = check(rules, input)
  noteTerms(scope, { graceSeconds })
  const createdAt = new Date()
  const expiresAt = graceSeconds === 0 ? null : new Date(createdAt.getTime() + graceSeconds * 1000)
  return { createdBy: scope.actor, createdAt, expiresAt }
}

type OfNode = Pick<Node, 'id' | 'tenantId' | 'clusterId' | 'name' | 'tokenHash' | 'blockedAt'>

/**
 * Ends the former tokens of nodes of one cluster, and keeps the present ones during their grace: at most two tokens of a
 * node work. A blocked node has no former one. Call it after the nodes have their new tokens.
 * @param nodes as they were before
 */
export async function keepNodesTokens(tx: Tx, nodes: readonly OfNode[], replacement: Replacement): Promise<void> {
  await endNodesFormerTokens(
    tx,
    nodes.map(({ id }) => id),
  )
  const { expiresAt, ...made } = replacement
  if (expiresAt === null) return
  const data = nodes.flatMap(({ id: nodeId, tenantId, clusterId, name, tokenHash, blockedAt }) =>
    blockedAt === null ? [{ id: newId(), kind, tenantId, clusterId, nodeId, name, tokenHash, expiresAt, ...made }] : [],
  )
  if (data.length > 0) await tx.credential.createMany({ data })
}

/** Ends the former tokens of nodes of one cluster. */
export async function endNodesFormerTokens(tx: Tx, nodeIds: readonly string[]): Promise<void> {
  await tx.credential.deleteMany({ where: { kind, nodeId: { in: [...nodeIds] } } })
}

interface OfCluster {
  readonly id: string
  readonly tenantId: string
  readonly name: string
  readonly clusterTokenHash: string
}

/** The same for the token of a cluster. */
export async function keepClusterToken(tx: Tx, cluster: OfCluster, replacement: Replacement): Promise<void> {
  const { id: clusterId, tenantId, name, clusterTokenHash: tokenHash } = cluster
  await tx.credential.deleteMany({ where: { kind, tenantId, clusterId, nodeId: null } })
  const { expiresAt, ...made } = replacement
  if (expiresAt === null) return
  await tx.credential.create({ data: { id: newId(), kind, tenantId, clusterId, name, tokenHash, expiresAt, ...made } })
}

/** The same for an access token, whose former token ends with it at the latest. */
export async function keepAccessToken(tx: Tx, token: Credential, replacement: Replacement): Promise<void> {
  const { id: credentialId, tenantId, name, tokenHash, lastFour } = token
  await tx.credential.deleteMany({ where: { kind, credentialId } })
  const { expiresAt: end, ...made } = replacement
  if (end === null) return
  const expiresAt = token.expiresAt !== null && token.expiresAt < end ? token.expiresAt : end
  const row = { id: newId(), kind, tenantId, credentialId, name, tokenHash, lastFour, expiresAt }
  await tx.credential.create({ data: { ...row, ...made } })
}

const fields = ['id', 'kind', 'tokenHash', 'expiresAt', 'nodeId', 'clusterId', 'credentialId'] as const

/** The former token with one of several hashes, in one statement; null when there is none. Its end is not compared. */
export async function findFormerToken({ read }: Operator, hashes: readonly TokenHash[]): Promise<FormerToken | null> {
  const rows = await Promise.all(hashes.map((hash) => read.row('credentials', 'tokenHash', hash, fields)))
  const row = rows.find((one) => one !== null)
  if (row?.kind !== kind || row.expiresAt === null) return null
  const { id, tokenHash, expiresAt, nodeId, clusterId, credentialId } = row
  if (credentialId !== null) return { id, tokenHash, expiresAt, of: 'accessToken', ownerId: credentialId }
  if (nodeId !== null) return { id, tokenHash, expiresAt, of: 'node', ownerId: nodeId }
  return clusterId === null ? null : { id, tokenHash, expiresAt, of: 'cluster', ownerId: clusterId }
}

/** The former tokens that still work of each of several nodes, by the node's id. */
export const formerTokensOfNodes = async (scope: Scope, ids: readonly string[]): Promise<Map<string, Credential>> =>
  byOwner(await working(scope, { nodeId: { in: [...ids] } }), ({ nodeId }) => nodeId)

/** The same of clusters. */
export const formerTokensOfClusters = async (scope: Scope, ids: readonly string[]): Promise<Map<string, Credential>> =>
  byOwner(await working(scope, { clusterId: { in: [...ids] }, nodeId: null }), ({ clusterId }) => clusterId)

/** The same of access tokens. */
export const formerTokensOfTokens = async (scope: Scope, ids: readonly string[]): Promise<Map<string, Credential>> =>
  byOwner(await working(scope, { credentialId: { in: [...ids] } }), ({ credentialId }) => credentialId)

/** The condition on former tokens of access tokens that still work. */
export const isFormerOfToken = () => ({ ...stillWorks(), credentialId: { not: null } })

const stillWorks = () => ({ kind, expiresAt: { gt: new Date() } })

const working = ({ db }: Scope, where: Prisma.CredentialWhereInput): Promise<Credential[]> =>
  db.credential.findMany({ where: { ...where, ...stillWorks() } })

const byOwner = (rows: readonly Credential[], ownerOf: (row: Credential) => string | null): Map<string, Credential> =>
  new Map(rows.flatMap((row): [string, Credential][] => [[ownerOf(row) ?? '', row]]))
