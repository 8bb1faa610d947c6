import * as z from 'zod'

import type { Operator } from '../../auth/scope.ts'
import type { TenantRole } from '../../auth/session.ts'
import { parseToken, type SessionToken, type SignInCode, type TokenHash, type Tokens } from '../../auth/tokens.ts'
import { newId } from '../../base/ids.ts'
import { append } from '../../db/audit/append.ts'
import { eventOf, type Intent } from '../../db/audit/recording.ts'
import type { Credential } from '../../db/client/types.ts'
import { bySystem } from '../audit/recorded.ts'
import { check, nameRule } from '../shared/rules.ts'

/** Milliseconds. */
const lifetimes = { link: 10 * 60_000, session: 12 * 3_600_000 }

/** For how long the trail can say whose a spent link or access token was that is tried again, in milliseconds. */
const remembered = 24 * 3_600_000

/** Credentials that are removed by one statement. */
const chunk = 1000

/** `credentials.kind`. */
const kinds = { link: 'sign_in_link', session: 'session' }

/** Who signs in: an operator, or a person of a tenant. */
type Person = { readonly role: 'operator' } | { readonly role: TenantRole; readonly tenantId: string }

const rules = z.object({ name: nameRule })

/** A new session; its token is shown only here. */
export interface NewSession {
  readonly token: SessionToken
  readonly expiresAt: Date
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
 * Lets people sign in without a password. The installation's secret is needed to make a link, which works once and
 * for ten minutes. A page exchanges it for a session of twelve hours, which can be ended earlier.
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
   * Begins a session; null when no link has this code, or the link was used or has expired. The caller does not learn
   * which.
   */
  async exchange(code: string, from: Origin = nowhere): Promise<NewSession | null> {
    const parsed = parseToken(code)
    if (parsed?.kind !== 'signInCode') return null
    const hashes = [this.#tokens.hash(parsed.token), ...this.#tokens.previousHashes(parsed.token)]
    const usedAt = new Date(this.#now())
    const isGood = { kind: kinds.link, usedAt: null, expiresAt: { gt: usedAt } }
    const link = await this.#operator.db.credential.findFirst({ where: { tokenHash: { in: hashes }, ...isGood } })
    if (!link) return null
    const { token, hash } = this.#tokens.newSessionToken()
    const row = this.#rowOf('session', hash, link)
    return this.#operator.db.$transaction(async (tx) => {
      // Of two concurrent calls, the condition holds for one.
      const { count } = await tx.credential.updateMany({ where: { id: link.id, ...isGood }, data: { usedAt } })
      if (count === 0) return null
      await tx.credential.create({ data: row })
      await append(tx, eventOf(intentOf('session.begin', row, from), []))
      return { token, expiresAt: row.expiresAt }
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
    const isRemembered = { OR: [{ kind: { in: [kinds.link, 'access_token'] } }, { credentialId: { not: null } }] }
    const expired = { expiresAt: { lte: new Date(this.#now()) }, NOT: isRemembered }
    const forgotten = { expiresAt: { lte: new Date(this.#now() - remembered) } }
    for (let removed = chunk; removed === chunk;) {
      const where = { OR: [expired, forgotten] }
      removed = (await this.#operator.db.credential.deleteMany({ where, limit: chunk })).count
      yield
    }
  }

  #rowOf(what: keyof typeof kinds, tokenHash: TokenHash, whose: Pick<Credential, 'role' | 'tenantId' | 'name'>) {
    const createdAt = new Date(this.#now())
    const expiresAt = new Date(createdAt.getTime() + lifetimes[what])
    const { role, tenantId, name } = whose
    return { id: newId(), kind: kinds[what], tokenHash, role, tenantId, name, createdAt, expiresAt }
  }
}
