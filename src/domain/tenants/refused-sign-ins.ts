import { setTimeout as pause } from 'node:timers/promises'

import { actorOf } from '../../auth/actor.ts'
import type { Operator } from '../../auth/scope.ts'
import { anonymous } from '../../auth/session.ts'
import { parseToken, type AccessToken, type SignInCode, type Tokens } from '../../auth/tokens.ts'
import { Mutex } from '../../base/limits/mutex.ts'
import { TokenBuckets } from '../../base/limits/token-buckets.ts'
import type { Logger } from '../../base/log.ts'
import type { Credential } from '../../db/client/types.ts'
import { recordRefused } from '../audit/recorded.ts'
import type { Origin } from './sign-ins.ts'

/**
 * How many are recorded of an address, and how many in a trail. Strangers cost nothing to be, and may never stop: sixty
 * tell of an attack, and one a minute that it goes on.
 */
const budget = () => new TokenBuckets({ perSecond: 1 / 60, burst: 60, debt: 0, keys: 10_000 })

/** How many wait to be recorded; what comes on top of them is not. */
const mostWaiting = 64

/** Milliseconds. By then the caller has its answer, whose time so tells nothing of what is found and recorded. */
const delay = 100

interface Dependencies {
  readonly operator: Operator
  readonly tokens: Tokens
  readonly log: Pick<Logger, 'warn'>
  /** The time, for tests; milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * Records sign-in links and access tokens that were refused: in the trail of the tenant whose they are, or were within
 * the last day; what nobody knows, in that of the control plane. One after the other, after the answer, and within a
 * budget.
 */
export class RefusedSignIns {
  readonly #operator: Operator
  readonly #tokens: Tokens
  readonly #log: Dependencies['log']
  readonly #now: () => number
  readonly #addresses = budget()
  readonly #trails = budget()
  readonly #turns = new Mutex()
  readonly #waiting = new Set<Promise<void>>()

  constructor({ operator, tokens, log, now = Date.now }: Dependencies) {
    this.#operator = operator
    this.#tokens = tokens
    this.#log = log
    this.#now = now
  }

  /** Notes a credential that was refused; of another kind or form, it is none of a person, and nothing happens. */
  note(credential: string | null, from: Origin): void {
    const parsed = credential === null ? null : parseToken(credential)
    if (parsed?.kind !== 'signInCode' && parsed?.kind !== 'accessToken') return
    if (!this.#addresses.take(from.address ?? '') || this.#waiting.size >= mostWaiting) return
    const action = parsed.kind === 'signInCode' ? 'session.begin' : 'token.use'
    const work = this.#later(() => this.#record(parsed.token, action, from))
    this.#waiting.add(work)
    void work.finally(() => this.#waiting.delete(work))
  }

  /** Resolves when everything that was noted is recorded. */
  async settled(): Promise<void> {
    await Promise.all(this.#waiting)
  }

  async #later(work: () => Promise<void>): Promise<void> {
    try {
      await pause(delay)
      await this.#turns.alone(work)
    } catch (error) {
      this.#log.warn({ err: error }, 'a refused sign-in is not in the audit trail')
    }
  }

  async #record(token: SignInCode | AccessToken, action: string, from: Origin): Promise<void> {
    const tokenHash = { in: [this.#tokens.hash(token), ...this.#tokens.previousHashes(token)] }
    const row = await this.#operator.db.credential.findFirst({ where: { tokenHash } })
    // A former token stands for the token whose former one it is.
    const targets = row ? [{ type: 'Credential', id: row.credentialId ?? row.id, name: row.name }] : []
    await recordRefused(
      { scope: this.#operator, refusals: this.#trails },
      { action, actor: actorOf(anonymous), tenantId: row?.tenantId ?? null, ...from },
      { targets, why: reasonOf(row, this.#now()) },
    )
  }
}

type Known = Pick<Credential, 'usedAt' | 'expiresAt' | 'credentialId'>

function reasonOf(row: Known | null, now: number): 'UNKNOWN' | 'USED' | 'EXPIRED' | 'REPLACED' | 'INVALID' {
  if (row === null) return 'UNKNOWN'
  if (row.usedAt !== null) return 'USED'
  if (row.expiresAt === null || row.expiresAt.getTime() > now) return 'INVALID'
  return row.credentialId === null ? 'EXPIRED' : 'REPLACED'
}
