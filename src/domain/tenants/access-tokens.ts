import * as z from 'zod'

import { apiScopes, includesScope, type ApiScope } from '../../auth/api-scopes.ts'
import type { PersonKind } from '../../auth/authenticate.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import { tenantRoles } from '../../auth/session.ts'
import type { AccessToken, TokenHash, Tokens } from '../../auth/tokens.ts'
import { LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import type { IssueCode } from '../../base/issues.ts'
import { refusal } from '../../db/client/errors.ts'
import { credentialList, type CredentialFilter } from '../../db/reads/lists.ts'
import type { Credential } from '../../db/client/types.ts'
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
  expiresAt: z
    .date()
    .refine((at) => at.getTime() > Date.now(), rule('OUT_OF_RANGE', 'must be in the future'))
    .refine(
      (at) => at.getTime() <= Date.now() + longestDays * day,
      rule('OUT_OF_RANGE', `must be within ${longestDays} days`),
    ),
})

interface AccessTokenInput extends Omit<z.input<typeof rules>, 'scopes'> {
  /** Resources and actions, such as `nodes:read`; everything that the role may when absent. */
  readonly scopes?: readonly string[] | undefined
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
 * @throws ValidationError, NotFoundError for a tenant outside the scope, LimitError when there are too many
 */
export async function createAccessToken(
  maker: Maker,
  { tenantId: asked, ...input }: AccessTokenInput,
): Promise<{ token: AccessToken; credential: Credential }> {
  const { scope, tokens } = maker
  const made = check(rules, input)
  const tenantId = await tenantOf(scope, made.role, asked)
  const { scopes, expiresAt } = made
  await assertWithinMaker(maker, { scopes: scopes ?? null, expiresAt })
  const kind = 'access_token'
  if ((await scope.db.credential.count({ where: { kind, tenantId } })) >= most) {
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
  }
  const shown = { createdBy: scope.actor, lastFour: token.slice(-4) }
  return { token, credential: await scope.db.credential.create({ data: { ...row, ...shown } }) }
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

/** A session and a JWT are short, and make tokens that outlive them; an access token does not. */
async function assertWithinMaker(
  { scope: { db }, credentialId }: Maker,
  asked: { readonly expiresAt: Date; readonly scopes: readonly ApiScope[] | null },
): Promise<void> {
  if (credentialId === null) return
  const own = await db.credential.findUnique({ where: { id: credentialId } })
  // It was revoked a moment ago.
  if (!own) throw new NotFoundError('Credential')
  // A session that was begun with a token is bound as the token is.
  const held = own.credentialId === null ? own : await db.credential.findUnique({ where: { id: own.credentialId } })
  if (!held) throw new NotFoundError('Credential')
  if (held.kind === 'access_token' && held.expiresAt !== null && held.expiresAt < asked.expiresAt) {
    throw invalid('expiresAt', 'OUT_OF_RANGE', 'must not be after the end of the token that you are signed in with')
  }
  if (own.scopes === null) return
  const scopes = scopesRule.parse(own.scopes)
  if (asked.scopes === null || asked.scopes.some((one) => !includesScope(scopes, one))) {
    throw invalid('scopes', 'NOT_ALLOWED', 'must be among those of the token that you are signed in with')
  }
}

const invalid = (field: string, code: IssueCode, message: string) => ValidationError.at(['input', field], code, message)

/** The credentials in scope, by name. */
export const listCredentials = (filter: CredentialFilter = {}): List => credentialList(filter)

/** Rows that are read at a time. */
const page = 500

/** The access tokens and sessions in scope, or of one tenant of it, in the order of their ids. */
export async function* peoplesCredentials({ db }: Scope, tenantId?: string): AsyncGenerator<Credential, void> {
  const kinds: PersonKind[] = ['access_token', 'session']
  const isWanted = { kind: { in: kinds }, ...(tenantId === undefined ? {} : { tenantId }) }
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
    scope.changes.emit({ kind: 'signedOut' })
    return revoked
  } catch (error) {
    if (refusal(error)?.kind === 'missing') throw new NotFoundError('Credential')
    throw error
  }
}

/**
 * The session or the access token with a hash; null when there is none. A row that says what this program does not
 * enforce (another role or scope, some clusters) lets nobody in.
 */
export async function getPersonByTokenHash({ db }: Operator, kind: PersonKind, tokenHash: TokenHash) {
  const row = await db.credential.findUnique({ where: { tokenHash } })
  return row?.kind === kind ? personIn(row) : null
}

/** The person of a session's or an access token's row; null for a row that lets nobody in. */
export function personIn(row: Credential) {
  if (row.expiresAt === null || row.clusterIds !== null) return null
  const scopes = scopesRule.nullable().safeParse(row.scopes)
  if (!scopes.success) return null
  const may = rightsOf(row)
  if (!may) return null
  const { id, tokenHash, name, expiresAt } = row
  return { id, tokenHash, name, expiresAt, idleAt: idleEndOf(row), scopes: scopes.data, may }
}

function rightsOf({ role: stored, tenantId }: Pick<Credential, 'role' | 'tenantId'>) {
  const known = role.safeParse(stored).data
  if (known === undefined) return null
  if (known === 'operator') return tenantId === null ? { role: known } : null
  return tenantId === null ? null : { role: known, tenantId }
}
