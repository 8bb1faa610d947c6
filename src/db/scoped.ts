import type { RowScope } from './pages.ts'
import type { Database } from './client.ts'
import { Prisma } from './generated/sqlite/client.ts'
import type { Db } from './types.ts'

/** An attempt to leave the scope: a fault in Orrery's own code, never something a caller is told. */
export class ScopeError extends Error {
  override readonly name = 'ScopeError'
}

type Args = Record<string, unknown>
type Condition = Record<string, unknown>

/**
 * The client of one tenant (or, with `clusterId`, of one cluster of it): every read and write carries the tenant's
 * condition, whatever the caller of this function forgets. What could get round it is refused: raw SQL, upserts,
 * nested writes, rows that move to another tenant or cluster, writes to a table that has no tenant.
 */
export function scopedClient({ client }: Database, scope: RowScope & { readonly tenantId: string }): Db {
  return client.$extends({
    query: {
      $allOperations({ model, operation, args, query }) {
        if (!model) throw new ScopeError(`${operation} is not for a scoped client`)
        return query(scopeOperation(model as Prisma.ModelName, operation, (args ?? {}) as Args, scope) as typeof args)
      },
    },
    // An extended client has the same six models; only its further generics differ.
  }) as unknown as Db
}

function scopeOperation(model: Prisma.ModelName, operation: string, args: Args, scope: RowScope): Args {
  const where = condition(model, scope)
  switch (operation) {
    case 'findUnique':
    case 'findUniqueOrThrow':
    case 'findFirst':
    case 'findFirstOrThrow':
    case 'findMany':
    case 'count':
    case 'aggregate':
    case 'groupBy':
    case 'delete':
    case 'deleteMany':
      return { ...args, where: narrow(args['where'], where) }
    case 'update':
    case 'updateMany':
    case 'updateManyAndReturn':
      return {
        ...args,
        where: narrow(args['where'], where),
        data: changed(model, args['data']),
      }
    case 'create':
      return { ...args, data: created(model, args['data'], scope) }
    case 'createMany':
    case 'createManyAndReturn': {
      const rows: unknown[] = Array.isArray(args['data']) ? args['data'] : [args['data']]
      return { ...args, data: rows.map((row) => created(model, row, scope)) }
    }
    default:
      throw new ScopeError(`${operation} is not for a scoped client`)
  }
}

/** Which rows of a model are the scope's. */
function condition(model: Prisma.ModelName, { tenantId, clusterId }: RowScope): Condition {
  switch (model) {
    case 'Tenant':
      return { id: tenantId }
    case 'Cluster':
      return { tenantId, ...(clusterId === null ? {} : { id: clusterId }) }
    case 'ClusterState':
      return {
        cluster: { tenantId, ...(clusterId === null ? {} : { id: clusterId }) },
      }
    case 'Node':
    case 'ConfigBundle':
      return { tenantId, ...(clusterId === null ? {} : { clusterId }) }
    case 'Replica':
      throw new ScopeError('replicas belong to no tenant')
    default:
      throw new ScopeError(`no rule says whose rows ${String(model satisfies never)} are`)
  }
}

/** The caller's own condition stays as it is (unique look-ups need their key on top), the scope's is added. */
function narrow(where: unknown, scope: Condition): Args {
  const { AND, ...rest } = (where ?? {}) as Args
  const others: unknown[] = AND === undefined ? [] : Array.isArray(AND) ? AND : [AND]
  return { ...rest, AND: [...others, scope] }
}

const placing = new Set(['id', 'tenantId', 'clusterId'])

function changed(model: Prisma.ModelName, data: unknown): Args {
  const row = scalars(model, data)
  const moved = Object.keys(row).find((field) => placing.has(field))
  if (moved !== undefined) throw new ScopeError(`${model}.${moved} cannot be changed`)
  return row
}

function created(model: Prisma.ModelName, data: unknown, { tenantId, clusterId }: RowScope): Args {
  if (model !== 'Cluster' && model !== 'Node' && model !== 'ConfigBundle') {
    throw new ScopeError(`a tenant does not create ${model} rows`)
  }
  const row = { ...scalars(model, data) }
  row['tenantId'] ??= tenantId
  const own = model === 'Cluster' ? row['id'] : row['clusterId']
  if (row['tenantId'] !== tenantId || (clusterId !== null && own !== clusterId)) {
    throw new ScopeError(`a ${model} of another tenant or cluster`)
  }
  return row
}

/** Only plain columns: a nested write would reach rows that no condition was put on. */
function scalars(model: Prisma.ModelName, data: unknown): Args {
  const known: Readonly<Record<string, string>> = Prisma[`${model}ScalarFieldEnum`]
  const row = data as Args
  const nested = Object.keys(row).find((field) => !(field in known))
  if (nested !== undefined) throw new ScopeError(`${model}.${nested} is no column: nested writes are refused`)
  return row
}
