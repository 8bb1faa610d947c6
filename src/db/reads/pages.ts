import { columns, type Table } from '../client/columns.ts'
import { Prisma } from '../generated/sqlite/client.ts'
import type { Database } from '../client/client.ts'
import type { PlainValue } from './plain-reader.ts'
import { typed } from './row-values.ts'
import type { RowScope } from '../client/types.ts'

export type Sql = Prisma.Sql
/** A piece of SQL with bound values, for the conditions of a listing; the listed row is `x`. */
export const sql = Prisma.sql

/** How a table is listed: its order, and its parent table. */
export interface Listing {
  readonly table: Table
  /** The columns of the order; together unique among the rows of one parent, so that the order is total. */
  readonly order: readonly string[]
  readonly direction: 'asc' | 'desc'
  /** The parent's table, and the child columns that refer to the parent's columns (the whole prefix of an index). */
  readonly parent: {
    readonly table: Table
    readonly on: readonly (readonly [child: string, parent: string])[]
  } | null
  /**
   * A partial index for conditions that match its definition. SQLite has no statistics and prefers the index that saves
   * the sort, although only three of a thousand rows may match; PostgreSQL chooses correctly by itself.
   */
  readonly index?: string
  /** Whether rows with null in a column of the order come first; only SQLite's indexes have them there. */
  readonly nullsFirst?: boolean
}

/** A part of the list: between two keys (values of the order's columns), from its end when `inverted`. */
export interface Window {
  readonly after: Key | null
  readonly before: Key | null
  readonly limit: number
  readonly inverted: boolean
}
export type Key = readonly (string | number)[]

export type Row = Readonly<Record<string, unknown>>

/** Reads pages of one scope's rows: every statement has the scope's condition. */
export interface PageReader {
  /** A page of all rows of a table in the scope. */
  page(listing: Listing, fields: readonly string[], where: readonly Sql[], window: Window): Promise<Row[]>
  /**
   * A page for each of many parents in one statement. Prisma would read every child of every parent and cut the pages
   * in memory; here the database stops after `limit` rows per parent, along an index.
   */
  pagesByParent(
    listing: Listing,
    parentIds: readonly string[],
    fields: readonly string[],
    where: readonly Sql[],
    window: Window,
  ): Promise<Map<string, Row[]>>
  count(listing: Listing, where: readonly Sql[]): Promise<number>
  countByParent(listing: Listing, parentIds: readonly string[], where: readonly Sql[]): Promise<Map<string, number>>
}

/** Makes the reader of one scope. `null` ids of the scope mean: all. */
export function pageReader({ reader, engine }: Database, scope: RowScope): PageReader {
  const read = ({ text, sql: withMarks, values }: Sql) =>
    reader.read(engine === 'sqlite' ? withMarks : text, values as readonly PlainValue[])
  // PostgreSQL's named statements are never released: one parameter serves any number of parents.
  const among = (ids: readonly string[]): Sql =>
    engine === 'sqlite' ? Prisma.join(ids) : sql`SELECT unnest(${ids}::text[])`
  const listed = ({ table, index }: Listing): Sql =>
    engine === 'sqlite' && index !== undefined ? raw(`${table} x INDEXED BY ${index}`) : raw(`${table} x`)
  return {
    async page(listing, fields, where, window) {
      const conditions = [...scopeConditions(listing.table, scope), ...where, ...keyset(listing, window)]
      const rows = await read(sql`
        SELECT ${selection('x', listing.table, fields)} FROM ${listed(listing)} WHERE ${all(conditions)}
        ORDER BY ${ordering('x', listing, window)} LIMIT ${window.limit}`)
      return rows.map((row) => typed(listing.table, row))
    },
    async pagesByParent(listing, parentIds, fields, where, window) {
      const { table, parent } = withParent(listing)
      if (parentIds.length === 0) return new Map()
      const conditions = [
        ...parent.on.map(([child, own]) => sql`x.${raw(child)} = p.${raw(own)}`),
        ...scopeConditions(table, scope),
        ...where,
        ...keyset(listing, window),
      ]
      const tail = sql`WHERE ${all(conditions)} ORDER BY ${ordering('x', listing, window)} LIMIT ${window.limit}`
      const key = table === 'config_bundles' ? 'version' : 'id'
      const same = key === 'id' ? [] : parent.on.map(([child, own]) => sql`r.${raw(child)} = p.${raw(own)}`)
      const join =
        engine === 'postgresql'
          ? sql`CROSS JOIN LATERAL (SELECT ${columnsOf('x', listing, fields)} FROM ${raw(table)} x ${tail}) r`
          : sql`JOIN ${raw(table)} r ON ${all([...same, sql`r.${raw(key)} IN (SELECT x.${raw(key)} FROM ${listed(listing)} ${tail})`])}`
      const rows = await read(sql`
        SELECT p.id AS parent, ${selection('r', table, fields)} FROM ${raw(parent.table)} p ${join}
        WHERE p.id IN (${among(parentIds)}) ORDER BY ${ordering('r', listing, window)}`)
      const pages = new Map<string, Row[]>(parentIds.map((id) => [id, []]))
      for (const { parent: id, ...row } of rows) pages.get(id as string)?.push(typed(table, row))
      return pages
    },
    async count(listing, where) {
      const conditions = [...scopeConditions(listing.table, scope), ...where]
      const [row] = await read(sql`SELECT count(*) AS total FROM ${listed(listing)} WHERE ${all(conditions)}`)
      return Number(row?.['total'] ?? 0)
    },
    async countByParent(listing, parentIds, where) {
      const { table, parent } = withParent(listing)
      if (parentIds.length === 0) return new Map()
      const child = raw(parent.on.find(([, own]) => own === 'id')?.[0] ?? 'id')
      const conditions = [sql`x.${child} IN (${among(parentIds)})`, ...scopeConditions(table, scope), ...where]
      const rows = await read(
        sql`SELECT x.${child} AS parent, count(*) AS total FROM ${listed(listing)} WHERE ${all(conditions)} GROUP BY x.${child}`,
      )
      return new Map(rows.map(({ parent: id, total }) => [id as string, Number(total)]))
    },
  }
}

/** The conditions that keep a statement in the scope, like those of the scoped client (scoped.ts). */
export function scopeConditions(table: Table, { tenantId, clusterId }: RowScope): Sql[] {
  const [tenantColumn, clusterColumn] =
    table === 'tenants' ? ['id', null] : table === 'clusters' ? ['tenant_id', 'id'] : ['tenant_id', 'cluster_id']
  return [
    ...(tenantId === null ? [] : [sql`x.${raw(tenantColumn)} = ${tenantId}`]),
    ...(clusterId === null || clusterColumn === null ? [] : [sql`x.${raw(clusterColumn)} = ${clusterId}`]),
  ]
}

function keyset({ order, direction }: Listing, { after, before }: Window): Sql[] {
  const names = Prisma.join(order.map((name) => sql`x.${raw(name)}`))
  const [forward, backward] = direction === 'asc' ? [raw('>'), raw('<')] : [raw('<'), raw('>')]
  return [
    ...(after ? [sql`(${names}) ${forward} (${Prisma.join([...after])})`] : []),
    ...(before ? [sql`(${names}) ${backward} (${Prisma.join([...before])})`] : []),
  ]
}

function ordering(alias: string, { order, direction, nullsFirst }: Listing, { inverted }: Window): Sql {
  const way = raw(((direction === 'asc') === inverted ? 'DESC' : 'ASC') + (nullsFirst ? ' NULLS FIRST' : ''))
  return Prisma.join(order.map((name) => sql`${raw(alias)}.${raw(name)} ${way}`))
}

const selection = (alias: string, table: Table, fields: readonly string[]): Sql =>
  Prisma.join(fields.map((field) => sql`${raw(`${alias}.${columnOf(table, field)}`)} AS ${raw(`"${field}"`)}`))

/** The columns that the outer query reads from the inner one: the fields and the order, each once. */
const columnsOf = (alias: string, { table, order }: Listing, fields: readonly string[]): Sql => {
  const names = new Set([...fields.map((field) => columnOf(table, field)), ...order])
  return Prisma.join([...names].map((name) => raw(`${alias}.${name}`)))
}

function columnOf(table: Table, field: string): string {
  const known: Readonly<Record<string, string>> = columns[table]
  const column = Object.hasOwn(known, field) ? known[field] : undefined
  if (column === undefined) throw new Error(`${table} has no field ${field} that a list may read`)
  return column
}

function withParent(listing: Listing): Listing & { readonly parent: NonNullable<Listing['parent']> } {
  if (!listing.parent) throw new Error(`${listing.table} is listed here without a parent`)
  return { ...listing, parent: listing.parent }
}

export const all = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? sql`1 = 1` : Prisma.join([...conditions], ' AND ')

/** Names of tables and columns, all of them from this program's own code. */
export const raw = (text: string): Sql => Prisma.raw(text)
