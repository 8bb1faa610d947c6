import { auditEventList, type AuditFilter } from '../../db/reads/audit-list.ts'
import { check, shortLineRule } from '../shared/rules.ts'
import type { List } from '../shared/pages.ts'

export type { AuditFilter } from '../../db/reads/audit-list.ts'

/** What was done is `done`; what was tried and refused is `refused`. */
export type Outcome = 'done' | 'refused'

/**
 * The audit events in scope, by time.
 * @throws ValidationError when no event could have the action or the actor
 */
export function listAuditEvents(filter: AuditFilter, direction: 'asc' | 'desc'): List {
  for (const name of ['actor', 'action'] as const) {
    if (filter[name]) check(shortLineRule(255), filter[name], ['filter', name])
  }
  return auditEventList(filter, direction)
}
