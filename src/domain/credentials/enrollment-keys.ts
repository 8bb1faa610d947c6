import * as z from 'zod'

import { ConflictError, LimitError, NotFoundError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import type { EnrollmentKey, TokenHash, Tokens } from '../../auth/tokens.ts'
import type { Credential, Prisma, Tx } from '../../db/client/types.ts'
import { withClusterLocked } from '../clusters/cluster-change.ts'
import { labelsRule, type Label } from '../nodes/labels.ts'
import { groupsRule } from '../nodes/node-rules.ts'
import { rule } from '../shared/issues.ts'
import { check, nameRule } from '../shared/rules.ts'

/** `credentials.kind`. */
const kind = 'enrollment_key'

/** The keys that a cluster may have at once: they are listed without pages. */
export const mostKeys = 100

/** In seconds. */
const minute = 60
const day = 86_400
const week = 7 * day

const seconds = (most: number, rule: string) => z.int('must be a whole number').min(minute, rule).max(most, rule)

/** How long a node stays without contact, in seconds. */
const ephemeralRule = seconds(30 * day, 'must be 60 seconds to 30 days')

const rules = z
  .object({
    name: nameRule,
    groups: groupsRule.default([]),
    labels: labelsRule.default({}),
    lifetimeSeconds: seconds(366 * day, 'must be 60 seconds to 366 days').default(week),
    uses: z.int('must be a whole number').min(1, 'must be 1 to 100000').max(100_000, 'must be 1 to 100000').optional(),
    isUnlimited: z.boolean().default(false),
    ephemeralSeconds: ephemeralRule.optional(),
  })
  .refine(
    ({ uses, isUnlimited }) => uses === undefined || !isUnlimited,
    rule('EXCLUSIVE', 'must not be true where uses is given', ['isUnlimited']),
  )

export interface NewEnrollmentKey {
  readonly name: string
  readonly groups?: readonly string[] | undefined
  readonly labels?: readonly Label[] | undefined
  /** For how long machines may enroll with it; a week when absent. */
  readonly lifetimeSeconds?: number | undefined
  /** How many machines may enroll with it; one when absent. */
  readonly uses?: number | undefined
  /** Whether any number of machines may. */
  readonly isUnlimited?: boolean | undefined
  /** Nodes that enroll with it are removed when they were not seen for this time; absent: they stay. */
  readonly ephemeralSeconds?: number | undefined
}

/**
 * Makes a key with which machines enroll in a cluster. It says what their nodes become, how many there may be, and
 * until when. The key is returned only here.
 * @throws ValidationError; NotFoundError when the cluster is not in the scope; LimitError when it has too many keys
 */
export async function createEnrollmentKey(
  scope: Scope,
  tokens: Tokens,
  clusterId: string,
  input: NewEnrollmentKey,
): Promise<{ key: Credential; token: EnrollmentKey }> {
  const { name, groups, labels, lifetimeSeconds, uses = 1, isUnlimited, ephemeralSeconds } = check(rules, input)
  const { token, hash } = tokens.newEnrollmentKey()
  const createdAt = new Date()
  const expiresAt = new Date(createdAt.getTime() + lifetimeSeconds * 1000)
  const limits = { usesAllowed: isUnlimited ? null : uses, ephemeralSeconds: ephemeralSeconds ?? null, expiresAt }
  const made = { createdAt, createdBy: scope.actor, lastFour: token.slice(-4) }
  const key = await withClusterLocked(scope, clusterId, 'Cluster', async (tx, { tenantId }) => {
    const live = await tx.credential.count({ where: { kind, tenantId, clusterId, expiresAt: { gt: createdAt } } })
    if (live >= mostKeys) {
      throw new LimitError(`The cluster has ${mostKeys} enrollment keys: revoke one that is no longer needed`)
    }
    const owner = { id: newId(), kind, tokenHash: hash, tenantId, clusterId }
    return tx.credential.create({ data: { ...owner, name, groups, labels, ...limits, ...made } })
  })
  return { key, token }
}

/**
 * Revokes a key: no machine enrolls with it any more. Nodes that did so stay.
 * @returns the key as it was
 * @throws NotFoundError
 */
export async function revokeEnrollmentKey(scope: Scope, id: string): Promise<Credential> {
  return scope.db.$transaction(async (tx) => {
    const key = await tx.credential.findFirst({ where: { id, kind } })
    if (!key) throw new NotFoundError('EnrollmentKey')
    const { count } = await tx.credential.deleteMany({ where: { id, kind } })
    if (count === 0) throw new NotFoundError('EnrollmentKey')
    return key
  })
}

/** The keys of each of several clusters that have not expired, by cluster id, the newest first. */
export async function listEnrollmentKeys(
  scope: Scope,
  clusterIds: readonly string[],
): Promise<Map<string, Credential[]>> {
  const keys = await scope.db.credential.findMany({
    where: { kind, clusterId: { in: [...clusterIds] }, expiresAt: { gt: new Date() } },
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
  })
  const byCluster = new Map<string, Credential[]>(clusterIds.map((id) => [id, []]))
  for (const key of keys) if (key.clusterId !== null) byCluster.get(key.clusterId)?.push(key)
  return byCluster
}

/** The key of a token, by the token's hash; null when there is none, or it is used up. Its end is not compared. */
export async function getEnrollmentKeyByTokenHash({ db }: Operator, tokenHash: TokenHash) {
  const row = await db.credential.findUnique({ where: { tokenHash } })
  if (row?.kind !== kind || row.tenantId === null || row.clusterId === null) return null
  if (row.expiresAt === null || usesLeft(row) === 0) return null
  return { ...row, tenantId: row.tenantId, clusterId: row.clusterId, expiresAt: row.expiresAt }
}

/** What a node becomes that enrolls with a key. */
export interface EnrollmentTerms {
  readonly groups: readonly string[]
  readonly labels: Prisma.InputJsonObject
  readonly ephemeralSeconds: number | null
}

/** How many machines may still enroll with a key. */
const usesLeft = ({ usesAllowed, useCount }: Pick<Credential, 'usesAllowed' | 'useCount'>): number =>
  usesAllowed === null ? Infinity : Math.max(0, usesAllowed - useCount)

/** The groups of a key; only createEnrollmentKey writes the column. */
export const groupsOfKey = ({ groups }: Pick<Credential, 'groups'>): string[] => (groups ?? []) as string[]

/** The keys of one transaction's enrollments. */
export interface Claims {
  /** @throws ConflictError when the key was used up or revoked, or has expired, since its holder was recognised */
  termsOf(keyId: string): EnrollmentTerms
  /** Spends one use. */
  use(keyId: string): void
  /** Writes what was spent. */
  record(): Promise<void>
}

/**
 * Locks the keys of an enrollment's transaction, so that two machines cannot both spend the last use, and a key is not
 * revoked in between.
 */
export async function claimsOf(tx: Tx, keyIds: readonly string[]): Promise<Claims> {
  const ids = [...new Set(keyIds)]
  const at = new Date()
  const where = { id: { in: ids }, kind, expiresAt: { gt: at } }
  // A write that changes nothing: the database keeps the rows for this transaction and returns them as they are.
  const rows =
    ids.length === 0 ? [] : await tx.credential.updateManyAndReturn({ where, data: { useCount: { increment: 0 } } })
  const keys = new Map(rows.map((row) => [row.id, { row, left: usesLeft(row), spent: 0 }]))
  return {
    termsOf(keyId) {
      const key = keys.get(keyId)
      if (!key || key.left === 0) throw new ConflictError('This enrollment key is not valid any more')
      const { labels, ephemeralSeconds } = key.row
      return { groups: groupsOfKey(key.row), labels: (labels ?? {}) as Prisma.InputJsonObject, ephemeralSeconds }
    },
    use(keyId) {
      const key = keys.get(keyId)
      if (!key) throw new Error('an enrollment key is used that was not locked')
      key.left -= 1
      key.spent += 1
    },
    async record() {
      for (const [id, { spent }] of keys) {
        if (spent === 0) continue
        await tx.credential.updateMany({ where: { id }, data: { useCount: { increment: spent }, lastUsedAt: at } })
      }
    },
  }
}
