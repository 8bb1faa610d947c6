import { Prisma } from '../generated/sqlite/client.ts'

/** An attempt to leave the scope: a fault in Orrery's own code, never shown to a caller. */
export class ScopeError extends Error {
  override readonly name = 'ScopeError'
}

/** Arguments that cannot lead to rows of other models; new ones in Prisma are refused until they are added here. */
const allowed = new Set([
  ...['where', 'data', 'select', 'omit', 'orderBy', 'distinct', 'take', 'skip', 'limit', 'skipDuplicates'],
  ...['by', 'having', '_count', '_avg', '_sum', '_min', '_max'],
])
const logical = new Set(['AND', 'OR', 'NOT'])
const aggregates = new Set(['_count', '_avg', '_sum', '_min', '_max'])

/**
 * Refuses an operation whose arguments lead from the model's own columns to other rows, which have no scope condition:
 * relations that are loaded (`include`, `select`, `_count`), filtered by or sorted by, and `cursor`, whose row may
 * belong to another scope and whose place among the caller's rows reveals its content.
 * @throws ScopeError
 */
export function assertPlain(model: Prisma.ModelName, args: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(args)) {
    if (value !== undefined && !allowed.has(name)) throw new ScopeError(`${name} is not for a scoped client`)
  }
  assertColumnsOf(model, args['where'])
  assertColumnsOf(model, args['having'])
  for (const [field, wanted] of entries(args['select'])) {
    if (wanted !== undefined && wanted !== false && field !== '_all') assertColumn(model, field)
  }
  for (const order of listed(args['orderBy'])) {
    for (const [field] of entries(order)) if (!aggregates.has(field)) assertColumn(model, field)
  }
}

/** Allows only plain columns: a nested write would reach rows without a scope condition. */
export function assertPlainRow(model: Prisma.ModelName, row: unknown): void {
  for (const [field] of entries(row)) assertColumn(model, field)
}

function assertColumnsOf(model: Prisma.ModelName, condition: unknown): void {
  for (const [field, value] of entries(condition)) {
    if (logical.has(field)) for (const part of listed(value)) assertColumnsOf(model, part)
    // A key of several columns joins their names: tenantId_clusterId_version.
    else for (const column of field.split('_')) assertColumn(model, column)
  }
}

function assertColumn(model: Prisma.ModelName, field: string): void {
  if (Object.hasOwn(Prisma[`${model}ScalarFieldEnum`], field)) return
  throw new ScopeError(`${model}.${field} is no column, and a scoped client follows no relations`)
}

const entries = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : []

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])
