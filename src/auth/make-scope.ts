import type { Database } from '../db/client.ts'
import { replicaLease } from '../db/lease.ts'
import { pageReader } from '../db/pages.ts'
import { scopedClient } from '../db/scoped.ts'
import type { Db } from '../db/types.ts'
import type { Operator, Tenant } from './scope.ts'

/** Of a tenant, what a scope is narrowed to: one cluster of it, and the node of that cluster that works in it. */
interface Within {
  readonly clusterId: string
  readonly nodeId?: string
}

/** Whose scope it is, and how messages name them (auth/session.ts says how). */
interface Whose {
  readonly tenantId: string
  readonly actor: string
}

/** The scope of a tenant, or of one cluster of it. For the authentication layer alone. */
export function tenantScope(database: Database, { tenantId, actor }: Whose, within: Within | null = null): Tenant {
  const rows = { tenantId, clusterId: within?.clusterId ?? null }
  let db: Db | null = null
  // The brand exists for the compiler only.
  return {
    ...rows,
    actor,
    changes: database.changes,
    // Made when it is first used: it costs as much as ten look-ups, and a poll needs none.
    get db() {
      return (db ??= scopedClient(database, { ...rows, nodeId: within?.nodeId ?? null }))
    },
    pages: pageReader(database, rows),
    rows: database.lookups.of(rows),
  } as Tenant
}

/** The scope without a boundary. For the authentication layer alone. */
export function operatorScope(database: Database, actor: string): Operator {
  const rows = { tenantId: null, clusterId: null }
  return {
    ...rows,
    actor,
    changes: database.changes,
    db: database.client,
    pages: pageReader(database, rows),
    rows: database.lookups.of(rows),
    lease: replicaLease(database),
  } as unknown as Operator
}
