import { Prisma } from '../generated/sqlite/client.ts'
import { columnOf, models, type Table } from './columns.ts'
import { ScopeError } from './plain-arguments.ts'
import type { RowScope } from './types.ts'

/** The field of a row that names its tenant, and the one that names its cluster; null for rows of no cluster. */
const owners = {
  Tenant: ['id', null],
  Cluster: ['tenantId', 'id'],
  Node: ['tenantId', 'clusterId'],
  ConfigBundle: ['tenantId', 'clusterId'],
  // In a machine's scope: its cluster's enrollment keys, no credential of a person.
  Credential: ['tenantId', 'clusterId'],
  // Whoever may read them reads those of the whole tenant; a node appends to them.
  AuditEvent: ['tenantId', null],
} as const satisfies Record<(typeof models)[Table], readonly [tenant: string, cluster: string | null]>

type Owned = keyof typeof owners

/**
 * What a row of the scope has in its owner's fields. Every form of the scope's condition is made from it.
 * @throws ScopeError for credentials in the scope of a machine
 */
function owner(model: Owned, { tenantId, clusterId }: RowScope): [field: string, id: string][] {
  const [tenant, cluster] = owners[model]
  const equal: [string, string][] = []
  if (tenantId !== null) equal.push([tenant, tenantId])
  if (clusterId !== null && cluster !== null) equal.push([cluster, clusterId])
  return equal
}

/**
 * The condition in Prisma's form.
 * @throws ScopeError for rows that belong to no tenant
 */
export function scopeWhere(model: Prisma.ModelName, scope: RowScope): Record<string, unknown> {
  switch (model) {
    case 'Tenant':
    case 'Cluster':
    case 'Node':
    case 'ConfigBundle':
    case 'Credential':
    case 'AuditEvent':
      return Object.fromEntries(owner(model, scope))
    case 'ClusterState':
      return { cluster: scopeWhere('Cluster', scope) }
    case 'Replica':
      throw new ScopeError('replicas belong to no tenant')
    default:
      throw new ScopeError(`no rule says whose rows ${String(model satisfies never)} are`)
  }
}

/** The condition in SQL, for the rows `x` of a table. */
export const scopeConditions = (table: Table, scope: RowScope): Prisma.Sql[] =>
  owner(models[table], scope).map(([field, id]) => Prisma.sql`x.${Prisma.raw(columnOf(table, field))} = ${id}`)

/** The condition for a row that is there already; it needs the fields of `ownerFields`. */
export const isWithin = (model: Owned, row: Readonly<Record<string, unknown>>, scope: RowScope): boolean =>
  owner(model, scope).every(([field, id]) => row[field] === id)

/** The fields that say whose row it is. */
export const ownerFields = (model: Owned): string[] => owners[model].filter((field) => field !== null)
