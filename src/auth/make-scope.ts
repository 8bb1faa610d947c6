import type { Database } from '../db/client.ts'
import { replicaLease } from '../db/lease.ts'
import { pageReader } from '../db/pages.ts'
import { scopedClient } from '../db/scoped.ts'
import type { Operator, Tenant } from './scope.ts'

/** The scope of a tenant, or of one cluster of it. For the authentication layer alone. */
export function tenantScope(database: Database, tenantId: string, clusterId: string | null = null): Tenant {
  const rows = { tenantId, clusterId }
  // The brand exists for the compiler only.
  return {
    ...rows,
    db: scopedClient(database, rows),
    pages: pageReader(database, rows),
  } as Tenant
}

/** The scope without a boundary. For the authentication layer alone. */
export function operatorScope(database: Database): Operator {
  const rows = { tenantId: null, clusterId: null }
  return {
    ...rows,
    db: database.client,
    pages: pageReader(database, rows),
    lease: replicaLease(database),
  } as unknown as Operator
}
