import type { Operator } from '../../auth/scope.ts'
import type { Logger } from '../../base/log.ts'
import { anchorRow, readAnchor, type Anchor, type AnchorKeys } from './anchor.ts'
import { chainNames } from './chains.ts'
import { forgetResults } from './repeats.ts'

interface Dependencies {
  readonly operator: Operator
  readonly keys: AnchorKeys
  /** For how many days events are kept; 0 for ever. */
  readonly days: number
  readonly log: Pick<Logger, 'error' | 'info'>
  /** The time, for tests; milliseconds since 1970. */
  readonly now?: () => number
}

/** Rows that one transaction removes. */
const chunk = 500
const day = 24 * 3_600_000

/** What the master does for the audit trail: it removes what is old, forgets kept results, and signs how far each chain is. */
export class AuditKeeper {
  readonly #operator: Operator
  readonly #keys: AnchorKeys
  readonly #days: number
  readonly #log: Dependencies['log']
  readonly #now: () => number

  constructor({ operator, keys, days, log, now = Date.now }: Dependencies) {
    this.#operator = operator
    this.#keys = keys
    this.#days = days
    this.#log = log
    this.#now = now
  }

  /** The sweep; it yields after each chain, and after each piece that it removes. */
  async *keep(): AsyncGenerator<void, void> {
    yield* forgetResults(this.#operator, this.#now())
    for await (const chain of chainNames(this.#operator)) {
      const anchor = await this.#sign(chain)
      yield
      if (anchor === null || this.#days === 0) continue
      for (let start: Anchor | null = anchor; start !== null;) {
        start = await this.#cut(start)
        yield
      }
    }
  }

  /**
   * Signs the newest row of a chain. What was signed before must still be there: otherwise the signature would cover up
   * what was done to the chain. Null when it was not signed; `orrery audit verify` says what is wrong.
   */
  async #sign(chain: string): Promise<Anchor | null> {
    const { db } = this.#operator
    const { anchor, under } = await readAnchor(this.#operator, chain, this.#keys)
    const head = await db.auditEvent.findUnique({ where: { headOf: chain } })
    if (under === 'none' || !head || (anchor && !(await this.#isThere(anchor)))) {
      this.#log.error({ chain }, 'the audit trail was tampered with: run orrery audit verify')
      return null
    }
    if (anchor && under === 'present' && anchor.headSequence === head.sequence) return anchor
    const { firstSequence = 1, previousHash = null } = anchor ?? {}
    return this.#store({ chain, firstSequence, previousHash, headSequence: head.sequence, headHash: head.hash })
  }

  async #isThere({ chain, headSequence: sequence, headHash: hash }: Anchor): Promise<boolean> {
    const where = { chain_sequence: { chain, sequence } }
    const row = await this.#operator.db.auditEvent.findUnique({ where, select: { hash: true } })
    return row?.hash === hash
  }

  async #store(place: Omit<Anchor, 'signedAt'>, db: Events = this.#operator.db): Promise<Anchor> {
    const anchor = { ...place, signedAt: new Date(this.#now()) }
    const data = anchorRow(anchor, this.#keys)
    // Not an upsert, which is not atomic everywhere; the master alone writes anchors.
    const { count } = await db.auditEvent.updateMany({ where: { chain: data.chain, sequence: data.sequence }, data })
    if (count === 0) await db.auditEvent.create({ data, select: { id: true } })
    return anchor
  }

  /** Removes the oldest rows of a chain, at most a piece; null when no more are due. The newest row always stays. */
  async #cut(anchor: Anchor): Promise<Anchor | null> {
    const { chain } = anchor
    const limit = new Date(this.#now() - this.#days * day)
    const oldest = await this.#operator.db.auditEvent.findMany({
      where: { chain, sequence: { gte: anchor.firstSequence, lt: anchor.headSequence } },
      orderBy: { sequence: 'asc' },
      take: chunk,
      select: { sequence: true, at: true, hash: true },
    })
    const kept = oldest.findIndex(({ at }) => at >= limit)
    const last = oldest.at(kept === -1 ? oldest.length - 1 : kept - 1)
    if (!last || kept === 0) return null
    const cut = await this.#operator.db.$transaction(async (tx) => {
      await tx.auditEvent.deleteMany({ where: { chain, sequence: { gt: 0, lte: last.sequence } } })
      return this.#store({ ...anchor, firstSequence: last.sequence + 1, previousHash: last.hash }, tx)
    })
    this.#log.info({ chain, until: last.sequence }, 'old audit events were removed')
    return kept === -1 && oldest.length === chunk ? cut : null
  }
}

type Events = Pick<Operator['db'], 'auditEvent'>
