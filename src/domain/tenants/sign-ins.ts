import * as z from 'zod'

import type { Operator } from '../../auth/scope.ts'
import type { TenantRole } from '../../auth/session.ts'
import { parseToken, type SessionToken, type SignInCode, type TokenHash, type Tokens } from '../../auth/tokens.ts'
import { newId } from '../../base/ids.ts'
import { append } from '../../db/audit/append.ts'
import { eventOf, type Intent } from '../../db/audit/recording.ts'
import type { Credential, Tx } from '../../db/client/types.ts'
import { bySystem } from '../audit/recorded.ts'
import { check, nameRule } from '../shared/rules.ts'
import { personIn } from './access-tokens.ts'
import { idleLifetime, lifetimes } from './session-times.ts'

/** For how long the trail can say whose a spent link or access token was that is tried again, in milliseconds. */
const remembered = 24 * 3_600_000

/** Credentials that are removed by one statement. */
const chunk = 1000

/** `credentials.kind`. */
const kinds = { link: 'sign_in_link', session: 'session', token: 'access_token', former: 'replaced_token' }

/** Sessions of one name, begun with the same credential: a page that signs in again and again ends its oldest ones. */
const most = 100

/** Who signs in: an operator, or a person of a tenant. */
type Person = { readonly role: 'operator' } | { readonly role: TenantRole; readonly tenantId: string }

const rules = z.object({ name: nameRule })

/** A new session; its token is shown only here. */
export interface NewSession {
  readonly token: SessionToken
  readonly expiresAt: Date
  /** Until then. */
  readonly seconds: number
}

/** Where a request came from. */
export interface Origin {
  readonly requestId: string | null
  readonly address: string | null
}

const nowhere: Origin = { requestId: null, address: null }

/** In the trail of the person's tenant; an operator's, in that of the control plane. */
const intentOf = (
  action: string,
  { id, name, tenantId }: Pick<Credential, 'id' | 'name' | 'tenantId'>,
  from: Origin,
): Intent => ({
  ...{ action, actor: { kind: tenantId === null ? 'operator' : 'tenantAdmin', name, credentialId: id }, tenantId },
  ...from,
})

interface Dependencies {
  readonly operator: Operator
  readonly tokens: Tokens
  /** The time, for tests; milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * Lets people sign in without a password: with a link, which works once and for ten minutes and takes the installation's
 * secret to make, or with an access token. Either begins a session, which the page keeps as a cookie. It lasts twelve
 * hours after its last use and seven days at most, and can be ended earlier.
 */
export class SignIns {
  readonly #operator: Operator
  readonly #tokens: Tokens
  readonly #now: () => number

  constructor({ operator, tokens, now = Date.now }: Dependencies) {
    this.#operator = operator
    this.#tokens = tokens
    this.#now = now
  }

  /**
   * Makes the code of a link.
   * @param name the person's name, for messages
   * @param person as whom the link signs in; of a tenant that exists
   * @throws ValidationError
   */
  async makeLink(name: string, person: Person = { role: 'operator' }): Promise<SignInCode> {
    check(rules, { name })
    const { token, hash } = this.#tokens.newSignInCode()
    const row = this.#rowOf('link', hash, { tenantId: null, ...person, name })
    // Whoever runs the command has the secret: it is the installation's own.
    await bySystem(this.#operator, 'session.link.create').db.credential.create({ data: row })
    return token
  }

  /**
   * Begins a session with the code of a link, or with an access token; null when there is none, or it was used, revoked
   * or has expired. The caller does not learn which. The session may do what the link or the token says, and ends with
   * its token.
   */
  async exchange(given: string, from: Origin = nowhere): Promise<NewSession | null> {
    const parsed = parseToken(given)
    if (parsed?.kind !== 'signInCode' && parsed?.kind !== 'accessToken') return null
    const hashes = [this.#tokens.hash(parsed.token), ...this.#tokens.previousHashes(parsed.token)]
    const { isGood, use } = this.#conditionsFor(parsed.kind)
    const found = await this.#operator.db.credential.findFirst({ where: { tokenHash: { in: hashes }, ...isGood } })
    if (!found || !personIn(found)) return null
    const { token, hash } = this.#tokens.newSessionToken()
    const row = { ...this.#rowOf('session', hash, found), ...boundsOf(found) }
    if (found.kind === kinds.token && found.expiresAt && found.expiresAt < row.expiresAt)
      row.expiresAt = found.expiresAt
    return this.#operator.db.$transaction(async (tx) => {
      // Of two concurrent calls with the same code, the condition holds for one.
      const { count } = await tx.credential.updateMany({ where: { id: found.id, ...isGood }, data: use })
      if (count === 0) return null
      await tx.credential.create({ data: row })
      await endOldest(tx, row)
      await append(tx, eventOf(intentOf('session.begin', row, from), []))
      const seconds = Math.floor((row.expiresAt.getTime() - row.createdAt.getTime()) / 1000)
      return { token, expiresAt: row.expiresAt, seconds }
    })
  }

  /** Ends a session and its streams on every instance; false, and nothing happens, for a credential of another kind. */
  async signOut(credentialId: string, from: Origin = nowhere): Promise<boolean> {
    const hasEnded = await this.#operator.db.$transaction(async (tx) => {
      const where = { id: credentialId, kind: kinds.session }
      const session = await tx.credential.findFirst({ where, select: { id: true, name: true, tenantId: true } })
      if (!session) return false
      await tx.credential.deleteMany({ where })
      await append(tx, eventOf(intentOf('session.end', session, from), []))
      return true
    })
    if (hasEnded) this.#operator.changes.emit({ kind: 'signedOut' })
    return hasEnded
  }

  /** The master's sweep: removes expired credentials; links and access tokens, and former ones of those, a day later. */
  async *removeSpent(): AsyncGenerator<void, void> {
    const former = { kind: kinds.former, credentialId: { not: null } }
    const isRemembered = { OR: [{ kind: { in: [kinds.link, kinds.token] } }, former] }
    const expired = { expiresAt: { lte: new Date(this.#now()) }, NOT: isRemembered }
    const forgotten = { expiresAt: { lte: new Date(this.#now() - remembered) } }
    const since = { lte: new Date(this.#now() - idleLifetime) }
    const idle = { kind: kinds.session, createdAt: since, OR: [{ lastUsedAt: null }, { lastUsedAt: since }] }
    for (let removed = chunk; removed === chunk;) {
      const where = { OR: [expired, forgotten, idle] }
      removed = (await this.#operator.db.credential.deleteMany({ where, limit: chunk })).count
      yield
    }
  }

  /** Which rows can be exchanged, and what is noted of those that are. */
  #conditionsFor(kind: 'signInCode' | 'accessToken') {
    const now = this.#now()
    const expiresAt = { gt: new Date(now) }
    return kind === 'signInCode'
      ? { isGood: { kind: kinds.link, usedAt: null, expiresAt }, use: { usedAt: new Date(now) } }
      : { isGood: { kind: kinds.token, expiresAt }, use: { lastUsedAt: new Date(now - (now % 60_000)) } }
  }

  #rowOf(what: keyof typeof lifetimes, tokenHash: TokenHash, whose: Pick<Credential, 'role' | 'tenantId' | 'name'>) {
    const createdAt = new Date(this.#now())
    const expiresAt = new Date(createdAt.getTime() + lifetimes[what])
    const { role, tenantId, name } = whose
    return { id: newId(), kind: kinds[what], tokenHash, role, tenantId, name, createdAt, expiresAt }
  }
}

/** What a session takes over from the token that it is begun with; the row goes with the token's. */
function boundsOf({ id, kind, scopes, clusterIds }: Credential) {
  return {
    ...(kind === kinds.token && { credentialId: id }),
    ...(scopes !== null && { scopes }),
    ...(clusterIds !== null && { clusterIds }),
  }
}

type Whose = Pick<Credential, 'name' | 'tenantId'> & { readonly credentialId?: string | null }

async function endOldest(tx: Tx, { name, tenantId, credentialId = null }: Whose): Promise<void> {
  const where = { kind: kinds.session, name, tenantId, credentialId }
  const oldest = await tx.credential.findMany({
    where,
    orderBy: { createdAt: 'desc' },
    skip: most,
    select: { id: true },
  })
  if (oldest.length === 0) return
  await tx.credential.deleteMany({ where: { id: { in: oldest.map(({ id }) => id) } } })
}
