import { nothingKept } from '../audit/event.ts'
import type { Database } from './client.ts'
import type { Prisma } from '../generated/sqlite/client.ts'
import { assertPlain, assertPlainRow, ScopeError } from './plain-arguments.ts'
import { retrying } from './retries.ts'
import { isWithin, scopeWhere } from './scope-condition.ts'
import type { Db, RowScope } from './types.ts'
import { isNodeWrite } from '../writes/node-rows.ts'

/** The rows of one tenant, or of one or some of its clusters, and the node that works in them. */
export interface TenantRows extends RowScope {
  readonly tenantId: string
  /** The only node that bundles may name as their author; null when the caller is not a node. */
  readonly nodeId: string | null
}

type Args = Record<string, unknown>

/** The only SQL that a scoped client runs: the writes of many nodes, which name the owner of the rows. */
function assertOwnNodes(operation: string, args: unknown, scope: TenantRows): void {
  const given: readonly unknown[] = Array.isArray(args) ? args : []
  const [statement, , tenantId, clusterId] = given
  if (operation !== '$queryRawUnsafe' || !isNodeWrite(statement)) {
    throw new ScopeError(`${operation} is not for a scoped client`)
  }
  if (!isWithin('Node', { tenantId, clusterId }, scope)) throw new ScopeError('nodes of another tenant or cluster')
}

/**
 * The client of one tenant (or, with `clusterId`, of one of its clusters): every read and write has the tenant's
 * condition, even if the calling code has none. Operations that could bypass it are refused: raw SQL, upserts,
 * relations (related rows are read by their ids, each with its own condition), nested writes, rows that move to another
 * tenant or cluster, writes beyond the scope (the tenant itself, a cluster from inside).
 */
export function scopedClient({ client, faults }: Database, scope: TenantRows): Db {
  const scoped = client.$extends({
    query: {
      $allOperations({ model, operation, args, query }) {
        if (!model) {
          assertOwnNodes(operation, args, scope)
          return query(args)
        }
        return query(scopeOperation(model as Prisma.ModelName, operation, (args ?? {}) as Args, scope) as typeof args)
      },
    },
  })
  // An extended client has the same models; only its further generics differ.
  return retrying(scoped, faults) as unknown as Db
}

function scopeOperation(model: Prisma.ModelName, operation: string, args: Args, scope: TenantRows): Args {
  const where = scopeWhere(model, scope)
  assertPlain(model, args)
  if (model === 'AuditEvent') assertAppends(operation, args)
  switch (operation) {
    case 'findUnique':
    case 'findUniqueOrThrow':
    case 'findFirst':
    case 'findFirstOrThrow':
    case 'findMany':
    case 'count':
    case 'aggregate':
    case 'groupBy':
      return { ...args, where: narrow(args['where'], where) }
    case 'delete':
    case 'deleteMany':
      assertInside(model, model === 'Cluster' && scope.clusterId !== null)
      return { ...args, where: narrow(args['where'], where) }
    case 'update':
    case 'updateMany':
    case 'updateManyAndReturn':
      assertInside(model, false)
      return { ...args, where: narrow(args['where'], where), data: changed(model, args['data']) }
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

/** The caller's condition stays unchanged (unique look-ups need their key on top); the scope's condition is added. */
function narrow(where: unknown, scope: Args): Args {
  const { AND, ...rest } = (where ?? {}) as Args
  const others: unknown[] = AND === undefined ? [] : Array.isArray(AND) ? AND : [AND]
  return { ...rest, AND: [...others, scope] }
}

/**
 * Refuses writes that reach beyond the scope: a tenant's row; for a caller in one cluster, its creation and deletion;
 * for a caller of some clusters, the creation of another.
 */
function assertInside(model: Prisma.ModelName, isFromInside: boolean): void {
  if (model === 'Tenant') throw new ScopeError('a tenant does not change its own row')
  if (isFromInside) throw new ScopeError('a cluster is not made or deleted from inside')
}

/**
 * The trail of a tenant is read and appended to, and forgets results that were kept for a day. Nothing else is done to it
 * in a tenant's scope.
 */
function assertAppends(operation: string, { data }: Args): void {
  const reads = ['findUnique', 'findUniqueOrThrow', 'findFirst', 'findFirstOrThrow', 'findMany', 'count', 'aggregate']
  if (reads.includes(operation) || operation === 'create') return
  const set = typeof data === 'object' && data !== null ? data : {}
  const isMark = operation === 'updateManyAndReturn' && Object.keys(set).join() === 'headOf'
  const isForgetting = operation === 'updateMany' && JSON.stringify(set) === JSON.stringify(nothingKept)
  if (!isMark && !isForgetting) throw new ScopeError('the audit trail is only appended to')
}

/** The columns of a row's owner and its author. */
const placing = new Set(['id', 'tenantId', 'clusterId', 'createdById', 'nodeId', 'credentialId'])

function changed(model: Prisma.ModelName, data: unknown): unknown {
  assertPlainRow(model, data)
  const moved = Object.keys(data as Args).find((field) => placing.has(field))
  if (moved !== undefined) throw new ScopeError(`${model}.${moved} cannot be changed`)
  return data
}

function created(model: Prisma.ModelName, data: unknown, scope: TenantRows): Args {
  const isOwn = model === 'Cluster' || model === 'Node' || model === 'ConfigBundle'
  if (!isOwn && model !== 'Credential' && model !== 'AuditEvent') {
    throw new ScopeError(`a tenant does not create ${model} rows`)
  }
  assertInside(model, model === 'Cluster' && (scope.clusterId ?? scope.clusterIds) !== null)
  assertPlainRow(model, data)
  const row: Args = { ...(data as Args) }
  row['tenantId'] ??= scope.tenantId
  if (!isWithin(model, row, scope)) throw new ScopeError(`a ${model} of another tenant or cluster`)
  // The foreign key of a bundle's author does not check the tenant.
  if ((row['createdById'] ?? null) !== null && row['createdById'] !== scope.nodeId) {
    throw new ScopeError(`a ${model} in another node's name`)
  }
  return row
}
