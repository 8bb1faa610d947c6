import type { Operator } from '../../auth/scope.ts'
import { readJson } from '../../base/json.ts'
import type { AuditEvent } from '../../db/client/types.ts'
import { chainNames, chainRows } from './chains.ts'

/** Which events are exported. */
interface Wanted {
  readonly since: Date
  /** A tenant's id, or `control-plane`; null for all. */
  readonly chain: string | null
}

/** The events as JSON lines, chain by chain, a page at a time. */
export async function* exportAudit(operator: Operator, { since, chain }: Wanted): AsyncGenerator<string, void> {
  const chains = chain === null ? chainNames(operator) : [chain]
  for await (const name of chains) {
    for await (const page of chainRows(operator, name, since)) yield page.map(lineOf).join('')
  }
}

/** The columns that are no part of the event: it is hashed without them, too. */
const besideEvent = new Set(['headOf', 'signature', 'idempotencyKey', 'inputHash', 'sealedResult'])

/** One event with its values as JSON. */
function lineOf({ targets, before, after, ...row }: AuditEvent): string {
  const event = Object.fromEntries(Object.entries(row).filter(([name]) => !besideEvent.has(name)))
  const value = (text: string | null) => (text === null ? null : readJson(text))
  return `${JSON.stringify({ ...event, targets: value(targets), before: value(before), after: value(after) })}\n`
}
