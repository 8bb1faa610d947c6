import { newTimeId } from '../../base/ids.ts'
import type { AuditEvent, Tx } from '../client/types.ts'
import { refusal } from '../client/errors.ts'
import { controlPlaneChain, hashOf, type NewEvent } from './event.ts'

/** How often the mark is asked for again after somebody else has moved it on. */
const tries = 50

/**
 * Appends an event to its chain. Call it as the last statement of a transaction: from here to the commit, others who
 * append to the same chain wait. Taking the mark from the newest row is the lock. On PostgreSQL, a transaction that
 * waited for it finds the mark gone and asks again, which then shows the row that the other one has appended.
 */
export async function append(tx: Pick<Tx, 'auditEvent'>, event: NewEvent): Promise<void> {
  const chain = event.tenantId ?? controlPlaneChain
  const head = await takeMark(tx, chain)
  const place = { id: newTimeId(), chain, sequence: (head?.sequence ?? 0) + 1, at: new Date() }
  const row = { ...event, ...place, previousHash: head?.hash ?? null }
  try {
    await tx.auditEvent.create({ data: { ...row, headOf: chain, hash: hashOf(row) }, select: { id: true } })
  } catch (error) {
    if (refusal(error)?.kind === 'unique') throw new ChainRaceError(chain)
    throw error
  }
}

type Head = Pick<AuditEvent, 'sequence' | 'hash'>

async function takeMark(tx: Pick<Tx, 'auditEvent'>, chain: string): Promise<Head | null> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const [head] = await tx.auditEvent.updateManyAndReturn({
      where: { headOf: chain },
      data: { headOf: null },
      select: { sequence: true, hash: true },
    })
    if (head) return head
    if (!(await tx.auditEvent.findFirst({ where: { chain, sequence: { gt: 0 } }, select: { id: true } }))) return null
  }
  throw new ChainRaceError(chain)
}

/** Two transactions took the same place in a chain: the code makes the client's retries run this one again. */
class ChainRaceError extends Error {
  override readonly name = 'ChainRaceError'
  readonly code = 'P2034'

  constructor(chain: string) {
    super(`another transaction has taken the next place in the audit chain ${chain}`)
  }
}
