import { Prisma } from '../generated/sqlite/client.ts'
import { columnOf, models, type Table } from './columns.ts'
import { ScopeError } from './plain-arguments.ts'
import type { RowScope } from './types.ts'

/**
 * The field of a row that names its tenant, and the one that names its cluster; null for rows of no cluster. What a
 * caller of some clusters sees and changes is decided here: a row without a cluster is in none of them.
 */
const owners = {
  Tenant: ['id', null],
  Cluster: ['tenantId', 'id'],
  Node: ['tenantId', 'clusterId'],
  ConfigBundle: ['tenantId', 'clusterId'],
  // In a scope of clusters: their enrollment keys and former tokens, no credential of a person.
  Credential: ['tenantId', 'clusterId'],
  // The chain is the tenant's, and everybody appends to it; `read` has those of the scope's clusters (shownOwners).
  AuditEvent: ['tenantId', null],
} as const satisfies Record<(typeof models)[Table], readonly [tenant: string, cluster: string | null]>

type Owned = keyof typeof owners

/** The same for rows that are shown: an event about other clusters, or about none, is not. */
const shownOwners = { ...owners, AuditEvent: ['tenantId', 'clusterId'] } as const satisfies Record<Owned, unknown>

type OwnerFields = readonly [tenant: string, cluster: string | null]

/** What a row of the scope has in its owner's fields. Every form of the scope's condition is made from it. */
function owner([tenant, cluster]: OwnerFields, scope: RowScope): [field: string, ids: string | readonly string[]][] {
  const { tenantId, clusterId, clusterIds } = scope
  const conditions: [string, string | readonly string[]][] = []
  if (tenantId !== null) conditions.push([tenant, tenantId])
  if (cluster === null) return conditions
  if (clusterId !== null) conditions.push([cluster, clusterId])
  else if (clusterIds !== null) conditions.push([cluster, padded(clusterIds)])
  return conditions
}

/** The list with its last id repeated up to a power of two: a statement for each length would be prepared otherwise. */
function padded(ids: readonly string[]): readonly string[] {
  const last = ids.at(-1)
  if (last === undefined) return ids
  const length = 2 ** Math.ceil(Math.log2(ids.length))
  return [...ids, ...Array.from({ length: length - ids.length }, () => last)]
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
      return Object.fromEntries(
        owner(owners[model], scope).map(([field, ids]) => [field, typeof ids === 'string' ? ids : { in: [...ids] }]),
      )
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
  owner(shownOwners[models[table]], scope).map(([field, ids]) => {
    const column = Prisma.raw(columnOf(table, field))
    if (typeof ids === 'string') return Prisma.sql`x.${column} = ${ids}`
    // A list of no id is no SQL.
    return ids.length === 0 ? Prisma.sql`1 = 0` : Prisma.sql`x.${column} IN (${Prisma.join([...ids])})`
  })

/** The condition for a row that is there already; it needs the fields of `ownerFields`. */
export const isWithin = (model: Owned, row: Readonly<Record<string, unknown>>, scope: RowScope): boolean =>
  owner(owners[model], scope).every(([field, ids]) => {
    const value = row[field]
    return typeof ids === 'string' ? value === ids : typeof value === 'string' && ids.includes(value)
  })

/** The fields that say whose row it is. */
export const ownerFields = (model: Owned): string[] => owners[model].filter((field) => field !== null)
