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

/** One event with its values as JSON; without the columns that are no part of it. */
function lineOf({ targets, before, after, ...row }: AuditEvent): string {
  const event: Partial<AuditEvent> = { ...row }
  delete event.headOf
  for (const name of ['signature', 'idempotencyKey', 'inputHash', 'sealedResult'] as const) delete event[name]
  const value = (text: string | null) => (text === null ? null : readJson(text))
  return `${JSON.stringify({ ...event, targets: value(targets), before: value(before), after: value(after) })}\n`
}
