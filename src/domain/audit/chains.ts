import type { Operator } from '../../auth/scope.ts'
import { breaks } from '../../base/pieces.ts'
import type { AuditEvent } from '../../db/client/types.ts'

/** Rows that are read or removed at once: a few milliseconds. */
const chunk = 500

/** The events of a chain in its order, without its anchor, page by page, however many there are. */
export async function* chainRows(
  { db }: Operator,
  chain: string,
  from: Date | null = null,
): AsyncGenerator<AuditEvent[], void> {
  const pause = breaks()
  const since = from === null ? {} : { at: { gte: from } }
  for (let after = 0; ;) {
    const where = { chain, sequence: { gt: after }, ...since }
    const rows = await db.auditEvent.findMany({ where, orderBy: { sequence: 'asc' }, take: chunk })
    yield rows
    const last = rows.at(-1)
    if (!last || rows.length < chunk) return
    after = last.sequence
    await pause()
  }
}

/** The names of all chains, in their order: also of those that have nothing but an anchor. */
export async function* chainNames({ db }: Operator): AsyncGenerator<string, void> {
  for (let after = ''; ;) {
    // One step along the index for each chain.
    const where = { chain: { gt: after } }
    const next = await db.auditEvent.findFirst({ where, orderBy: { chain: 'asc' }, select: { chain: true } })
    if (!next) return
    yield next.chain
    after = next.chain
  }
}
