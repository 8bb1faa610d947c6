import { columns as all } from '../generated/columns.ts'
import type { Prisma } from './types.ts'

/** The columns of the tables that are listed in pages, by field, without the data of bundles. */
export const columns = {
  tenants: all.tenants,
  clusters: all.clusters,
  nodes: all.nodes,
  config_bundles: all.config_bundles,
  credentials: all.credentials,
  audit_events: all.audit_events,
} as const satisfies {
  tenants: Record<Prisma.TenantScalarFieldEnum, string>
  clusters: Record<Prisma.ClusterScalarFieldEnum, string>
  nodes: Record<Prisma.NodeScalarFieldEnum, string>
  config_bundles: Record<Exclude<Prisma.ConfigBundleScalarFieldEnum, 'data'>, string>
  credentials: Record<Prisma.CredentialScalarFieldEnum, string>
  audit_events: Record<Prisma.AuditEventScalarFieldEnum, string>
}

export type Table = keyof typeof columns

/** The model of each table's rows. */
export const models = {
  tenants: 'Tenant',
  clusters: 'Cluster',
  nodes: 'Node',
  config_bundles: 'ConfigBundle',
  credentials: 'Credential',
  audit_events: 'AuditEvent',
} as const satisfies Record<Table, Prisma.ModelName>

/**
 * The column of a field.
 * @throws Error for a field that is not read in pages and look-ups, such as the data of bundles
 */
export function columnOf(table: Table, field: string): string {
  const known: Readonly<Record<string, string>> = columns[table]
  const column = Object.hasOwn(known, field) ? known[field] : undefined
  if (column === undefined) throw new Error(`${table} has no field ${field} that a list may read`)
  return column
}
