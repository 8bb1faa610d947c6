import * as z from 'zod'

import { apiScopes, includesScope, type ApiScope } from '../../auth/api-scopes.ts'
import type { PersonKind } from '../../auth/authenticate.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import { clusterIdsRule, tenantRoles } from '../../auth/session.ts'
import type { AccessToken, TokenHash, Tokens } from '../../auth/tokens.ts'
import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import type { IssueCode } from '../../base/issues.ts'
import { refusal } from '../../db/client/errors.ts'
import { credentialList, type CredentialFilter } from '../../db/reads/lists.ts'
import type { Credential } from '../../db/client/types.ts'
import { shownOnce } from '../audit/recorded.ts'
import { isFormerOfToken, keepAccessToken, replacementOf, type Grace } from '../credentials/former-tokens.ts'
import { rule } from '../shared/issues.ts'
import type { List } from '../shared/pages.ts'
import { check, nameRule } from '../shared/rules.ts'
import { idleEndOf } from './session-times.ts'
import { getTenant } from './tenants.ts'

const day = 86_400_000

/** The longest that an access token can be valid, in days. */
export const longestDays = 366

/** Access tokens of one tenant, and of all operators together. */
const most = 1000

const role = z.enum(['operator', ...tenantRoles])
export type PersonRole = z.infer<typeof role>

/** What a token is limited to: at least one. */
const scopesRule = z.array(z.enum(apiScopes)).min(1).max(apiScopes.length)

const rules = z.object({
  name: nameRule,
  role,
  scopes: scopesRule.optional(),
  clusterIds: clusterIdsRule.optional(),
  expiresAt: z
    .date()
    .refine((at) => at.getTime() > Date.now(), rule('OUT_OF_RANGE', 'must be in the future'))
    .refine(
      (at) => at.getTime() <= Date.now() + longestDays * day,
      rule('OUT_OF_RANGE', `must be within ${longestDays} days`),
    ),
})

interface AccessTokenInput extends Omit<z.input<typeof rules>, 'scopes' | 'clusterIds'> {
  /** Resources and actions, such as `nodes:read`; everything that the role may when absent. */
  readonly scopes?: readonly string[] | undefined
  /** The only clusters that its holder sees and changes; all of the tenant when absent. */
  readonly clusterIds?: readonly string[] | undefined
  /** Of an operator: the tenant of the token's holder. In a tenant's scope, the tenant's own when absent. */
  readonly tenantId?: string | undefined
}

/** Who makes a token. */
interface Maker {
  readonly scope: Scope
  readonly tokens: Tokens
  /** The credential by which the maker is signed in; null for a JWT. */
  readonly credentialId: string | null
}

/**
 * Makes an access token, which may do no more than its maker: a tenant makes tokens of its own only, and one that is
 * made by an access token ends with that token at the latest, and has no scope that it has not. The token itself is
 * shown only here.
 * @throws ValidationError, NotFoundError for a tenant or a cluster outside the scope, LimitError when there are too many
 */
export async function createAccessToken(
  maker: Maker,
  { tenantId: asked, ...input }: AccessTokenInput,
): Promise<{ token: AccessToken; credential: Credential }> {
  const { scope, tokens } = maker
  const made = check(rules, input)
  const tenantId = await tenantOf(scope, made.role, asked)
  const { scopes, clusterIds, expiresAt } = made
  if (clusterIds) await assertClustersOf(scope, tenantId, clusterIds)
  await assertWithinMaker(maker, { scopes: scopes ?? null, expiresAt })
  const kind = 'access_token'
  if ((await scope.db.credential.count({ where: { kind, tenantId, expiresAt: { gt: new Date() } } })) >= most) {
    throw new LimitError(`There are ${most} access tokens already: revoke those that nobody uses`)
  }
  const { token, hash: tokenHash } = tokens.newAccessToken()
  const row = {
    id: newId(),
    kind,
    tokenHash,
    tenantId,
    role: made.role,
    name: made.name,
    expiresAt,
    ...(scopes && { scopes }),
    ...(clusterIds && { clusterIds }),
  }
  const shown = { createdBy: scope.actor, lastFour: token.slice(-4) }
  return { token, credential: await scope.db.credential.create({ data: { ...row, ...shown } }) }
}

/**
 * Replaces the secret of an access token; its rights and its end stay. The old one ends now, or after its grace; the one
 * before it ends now in any case. Nobody is shown one that may do more than the caller, as when it is made.
 * @throws ValidationError, NotFoundError, ConflictError when somebody else replaces it at this moment
 */
export async function rotateAccessToken(
  maker: Maker,
  { id, ...grace }: Grace & { readonly id: string },
): Promise<{ token: string; credential: Credential }> {
  const { scope, tokens } = maker
  const replacement = replacementOf(scope, grace)
  const { token, hash: tokenHash } = shownOnce(scope, tokens.newAccessToken())
  const credential = await scope.db.$transaction(async (tx) => {
    const where = { id, kind: 'access_token', expiresAt: { gt: replacement.createdAt } }
    const before = await tx.credential.findFirst({ where })
    const expiresAt = before?.expiresAt ?? null
    if (!before || expiresAt === null) throw new NotFoundError('Credential')
    if (id !== maker.credentialId) {
      await assertWithinMaker(maker, { scopes: scopesRule.nullable().parse(before.scopes), expiresAt }, 'id')
    }
    // The new token has not been used yet.
    const data = { tokenHash, lastFour: token.slice(-4), lastUsedAt: null }
    const { count } = await tx.credential.updateMany({ where: { id, tokenHash: before.tokenHash }, data })
    if (count === 0) throw new ConflictError('Somebody else replaced this token at this moment')
    await keepAccessToken(tx, before, replacement)
    // Without a grace time nothing stays of the old secret, also not what was begun with it.
    if (replacement.expiresAt === null) {
      await tx.credential.deleteMany({ where: { credentialId: id, kind: 'session' } })
    }
    return { ...before, ...data }
  })
  scope.changes.emit({ kind: 'signedOut' })
  return { token, credential }
}

/** An access token with its secret, for a caller who asks again; null when it is gone. */
export async function accessTokenAgain({ db }: Scope, id: string, token: string) {
  const credential = await db.credential.findFirst({ where: { id, kind: 'access_token' } })
  return credential && { token, credential }
}

/** Whose the token is; null for an operator's. */
async function tenantOf(scope: Scope, wanted: PersonRole, asked: string | undefined): Promise<string | null> {
  if (wanted === 'operator') {
    if (scope.tenantId !== null) throw invalid('role', 'NOT_ALLOWED', 'you may make tokens of your own tenant only')
    if (asked !== undefined) throw invalid('tenantId', 'EXCLUSIVE', 'an operator belongs to no tenant')
    return null
  }
  const tenantId = asked ?? scope.tenantId
  if (tenantId === null) throw invalid('tenantId', 'REQUIRED', `a token with the role ${wanted} needs a tenant`)
  if (!(await getTenant(scope, tenantId, { select: { id: true } }))) throw new NotFoundError('Tenant')
  return tenantId
}

/** A cluster of another tenant is one that does not exist. @throws NotFoundError; ValidationError for an operator's token */
async function assertClustersOf(scope: Scope, tenantId: string | null, ids: string[]): Promise<void> {
  if (tenantId === null) throw invalid('clusterIds', 'EXCLUSIVE', 'an operator is not limited to clusters')
  const found = await scope.db.cluster.count({ where: { tenantId, id: { in: ids } } })
  if (found !== ids.length) throw new NotFoundError('Cluster')
}

/** A session and a JWT are short, and make tokens that outlive them; an access token does not. */
async function assertWithinMaker(
  { scope: { db }, credentialId }: Maker,
  asked: { readonly expiresAt: Date; readonly scopes: readonly ApiScope[] | null },
  field?: 'id',
): Promise<void> {
  if (credentialId === null) return
  const own = await db.credential.findUnique({ where: { id: credentialId } })
  // It was revoked a moment ago.
  if (!own) throw new NotFoundError('Credential')
  // A session that was begun with a token is bound as the token is.
  const held = own.credentialId === null ? own : await db.credential.findUnique({ where: { id: own.credentialId } })
  if (!held) throw new NotFoundError('Credential')
  if (held.kind === 'access_token' && held.expiresAt !== null && held.expiresAt < asked.expiresAt) {
    throw invalid(
      field ?? 'expiresAt',
      'OUT_OF_RANGE',
      'must not be after the end of the token that you are signed in with',
    )
  }
  if (own.scopes === null) return
  const scopes = scopesRule.parse(own.scopes)
  if (asked.scopes === null || asked.scopes.some((one) => !includesScope(scopes, one))) {
    throw invalid(field ?? 'scopes', 'NOT_ALLOWED', 'must be among those of the token that you are signed in with')
  }
}

const invalid = (field: string, code: IssueCode, message: string) => ValidationError.at(['input', field], code, message)

/** The credentials in scope that are good, by name. */
export const listCredentials = (filter: CredentialFilter = {}): List => credentialList(filter)

/** Rows that are read at a time. */
const page = 500

/**
 * The good access tokens, with those that were replaced and still work, and the good sessions in scope, or of one tenant
 * of it, in the order of their ids.
 */
export async function* peoplesCredentials({ db }: Scope, tenantId?: string): AsyncGenerator<Credential, void> {
  const kinds: PersonKind[] = ['access_token', 'session']
  const isPerson = { OR: [{ kind: { in: kinds } }, isFormerOfToken()] }
  const isWanted = { ...isPerson, expiresAt: { gt: new Date() }, ...(tenantId === undefined ? {} : { tenantId }) }
  let last: string | undefined = ''
  while (last !== undefined) {
    const where = { ...isWanted, id: { gt: last } }
    const rows: Credential[] = await db.credential.findMany({ where, orderBy: { id: 'asc' }, take: page })
    yield* rows
    last = rows[page - 1]?.id
  }
}

/**
 * Revokes a credential: it ends with the next request on every instance, and its streams at once.
 * @throws NotFoundError
 */
export async function revokeCredential(scope: Scope, id: string): Promise<Credential> {
  try {
    const revoked = await scope.db.credential.delete({ where: { id } })
    const { nodeId, clusterId } = revoked
    if (nodeId !== null && clusterId !== null) scope.changes.emit({ kind: 'ended', clusterId, whose: { nodeId } })
    else scope.changes.emit({ kind: 'signedOut' })
    return revoked
  } catch (error) {
    if (refusal(error)?.kind === 'missing') throw new NotFoundError('Credential')
    throw error
  }
}

/**
 * The session or the access token with a hash; null when there is none. A row that says what this program does not
 * enforce (another role or scope, a list of clusters that is none) lets nobody in.
 */
export async function getPersonByTokenHash({ db }: Operator, kind: PersonKind, tokenHash: TokenHash) {
  const row = await db.credential.findUnique({ where: { tokenHash } })
  return row?.kind === kind ? personIn(row) : null
}

/** The same of an access token to which its former token led. */
export async function getAccessTokenById({ db }: Operator, id: string) {
  const row = await db.credential.findUnique({ where: { id } })
  return row?.kind === 'access_token' ? personIn(row) : null
}

/** The person of a session's or an access token's row; null for a row that lets nobody in. */
export function personIn(row: Credential) {
  if (row.expiresAt === null) return null
  const scopes = scopesRule.nullable().safeParse(row.scopes)
  const clusterIds = clusterIdsRule.nullable().safeParse(row.clusterIds)
  if (!scopes.success || !clusterIds.success) return null
  const may = rightsOf(row, clusterIds.data)
  if (!may) return null
  const { id, tokenHash, name, expiresAt } = row
  return { id, tokenHash, name, expiresAt, idleAt: idleEndOf(row), scopes: scopes.data, may }
}

function rightsOf(
  { role: stored, tenantId }: Pick<Credential, 'role' | 'tenantId'>,
  clusterIds: readonly string[] | null,
) {
  const known = role.safeParse(stored).data
  if (known === undefined) return null
  if (known === 'operator') return tenantId === null && clusterIds === null ? { role: known } : null
  return tenantId === null ? null : { role: known, tenantId, clusterIds }
}
