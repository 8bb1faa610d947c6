import { earliestIdAt } from '../../base/ids.ts'
import type { List } from './pages.ts'
import { sql } from './sql.ts'

export interface AuditFilter {
  readonly tenantId?: string | null | undefined
  readonly clusterId?: string | null | undefined
  /** The whole name. */
  readonly actor?: string | null | undefined
  readonly action?: string | null | undefined
  readonly outcome?: string | null | undefined
  /** From this moment on. */
  readonly since?: Date | null | undefined
  /** Before this moment. */
  readonly until?: Date | null | undefined
}

/** By id, which is in the order of time, along the index of whichever column the filter names. */
export function auditEventList(filter: AuditFilter, direction: 'asc' | 'desc'): List {
  const { tenantId, clusterId, actor, action, outcome, since, until } = filter
  return {
    isLong: true,
    listing: { table: 'audit_events', order: ['id'], direction, parent: null },
    where: () => [
      // An anchor is no event.
      sql`x.sequence > 0`,
      ...(tenantId ? [sql`x.tenant_id = ${tenantId}`] : []),
      ...(clusterId ? [sql`x.cluster_id = ${clusterId}`] : []),
      ...(actor ? [sql`x.actor = ${actor}`] : []),
      ...(action ? [sql`x.action = ${action}`] : []),
      ...(outcome ? [sql`x.outcome = ${outcome}`] : []),
      ...(since ? [sql`x.id >= ${earliestIdAt(since)}`] : []),
      ...(until ? [sql`x.id < ${earliestIdAt(until)}`] : []),
    ],
  }
}
