import { columnOf, type Table } from '../client/columns.ts'
import { scopeConditions } from '../client/scope-condition.ts'
import type { Engine, RowScope } from '../client/types.ts'
import type { PlainValue } from './long/statements.ts'
import { ordered, orderedValue, type KeyValue } from './order.ts'
import type { PlainReader, PlainRow } from './plain-reader.ts'
import { typed } from './row-values.ts'
import { all, join, raw, sql, type Sql } from './sql.ts'

/** How a table is listed: its order, and its parent table. */
export interface Listing {
  readonly table: Table
  /** The fields of the order; together unique among the rows of one parent, so that the order is total. */
  readonly order: readonly string[]
  readonly direction: 'asc' | 'desc'
  /** Names an order that is not the usual one of the list, in its cursors. */
  readonly mark?: string
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
  /** Whether the columns of the order are compared as they are, with null first: for a partial index of the columns. */
  readonly nullsFirst?: boolean
  /** The index that pages are read along, in the list's order, where `index` is not given. */
  readonly along?: string
}

/** A part of the list: between two keys (values of the order's fields), from its end when `inverted`. */
export interface Window {
  readonly after: Key | null
  readonly before: Key | null
  readonly limit: number
  readonly inverted: boolean
}
export type Key = readonly KeyValue[]

export type Row = Readonly<Record<string, unknown>>

/**
 * Rows and their order: one description for a page of all rows in scope, a page for each of many parents, and counts.
 * The listed row is `x` in the conditions.
 */
export interface List {
  readonly listing: Listing
  readonly where: (engine: Engine) => readonly Sql[]
  /** Whether counting it reads more than an index of one cluster or the rows of a small table. */
  readonly isLong?: boolean
}

/** The requested part of a list: the fields to read and the part of the order. */
export interface Excerpt {
  readonly fields: readonly string[]
  readonly window: Window
}

/** Where rows are read, and for whom. */
export interface Source {
  readonly engine: Engine
  readonly reader: Pick<PlainReader, 'read'>
  readonly scope: RowScope
}

/** Figures: the page of 50 nodes; node creation and route updates, whose warnings read pages of nodes. */
export async function readPage(source: Source, list: List, { fields, window }: Excerpt): Promise<Row[]> {
  const { listing, where } = list
  const conditions = [
    ...scopeConditions(listing.table, source.scope),
    ...where(source.engine),
    ...keyset(source, listing, window),
  ]
  const rows = await read(
    source,
    sql`SELECT ${selection('x', listing.table, fields)} FROM ${listed(source, paged(listing))} WHERE ${all(conditions)}
      ORDER BY ${ordering(source, 'x', listing, window)} LIMIT ${window.limit}`,
  )
  return rows.map((row) => typed(listing.table, row))
}

/**
 * Prisma would read every child of every parent and cut the pages in memory; here the database stops after `limit` rows
 * per parent, along an index. Figure: 10 tenants → 50 clusters → 500 nodes.
 */
export async function readPages(
  source: Source,
  { listing, where }: List,
  parentIds: readonly string[],
  { fields, window }: Excerpt,
): Promise<Map<string, Row[]>> {
  const { table } = listing
  const parent = parentOf(listing)
  if (parentIds.length === 0) return new Map()
  const conditions = [
    ...parent.on.map(([child, own]) => sql`x.${raw(child)} = p.${raw(own)}`),
    ...scopeConditions(table, source.scope),
    ...where(source.engine),
    ...keyset(source, listing, window),
  ]
  const tail = sql`WHERE ${all(conditions)} ORDER BY ${ordering(source, 'x', listing, window)} LIMIT ${window.limit}`
  const key = table === 'config_bundles' ? 'version' : 'id'
  const same = key === 'id' ? [] : parent.on.map(([child, own]) => sql`r.${raw(child)} = p.${raw(own)}`)
  const joined =
    source.engine === 'postgresql'
      ? sql`CROSS JOIN LATERAL (SELECT ${innerColumns('x', listing, fields)} FROM ${raw(table)} x ${tail}) r`
      : sql`JOIN ${raw(table)} r ON ${all([...same, sql`r.${raw(key)} IN (SELECT x.${raw(key)} FROM ${listed(source, paged(listing))} ${tail})`])}`
  const rows = await read(
    source,
    sql`SELECT p.id AS parent, ${selection('r', table, fields)} FROM ${raw(parent.table)} p ${joined}
      WHERE p.id IN (${among(source, parentIds)}) ORDER BY ${ordering(source, 'r', listing, window)}`,
  )
  const pages = new Map<string, Row[]>(parentIds.map((id) => [id, []]))
  for (const { parent: id, ...row } of rows) pages.get(id as string)?.push(typed(table, row))
  return pages
}

/** Figure: the page of 50 nodes with `totalCount`. */
export async function countRows(source: Source, { listing, where }: List): Promise<number> {
  const conditions = [...scopeConditions(listing.table, source.scope), ...where(source.engine)]
  const [row] = await read(
    source,
    sql`SELECT count(*) AS total FROM ${listed(source, listing)} WHERE ${all(conditions)}`,
  )
  return Number(row?.['total'] ?? 0)
}

/** `totalCount` of many parents. Without a figure: it counts by the conditions of a list, which are SQL. */
export async function countRowsByParent(
  source: Source,
  { listing, where }: List,
  parentIds: readonly string[],
): Promise<Map<string, number>> {
  const child = raw(parentOf(listing).on.find(([, own]) => own === 'id')?.[0] ?? 'id')
  if (parentIds.length === 0) return new Map()
  const conditions = [
    sql`x.${child} IN (${among(source, parentIds)})`,
    ...scopeConditions(listing.table, source.scope),
    ...where(source.engine),
  ]
  const rows = await read(
    source,
    sql`SELECT x.${child} AS parent, count(*) AS total FROM ${listed(source, listing)} WHERE ${all(conditions)}
      GROUP BY x.${child}`,
  )
  return new Map(rows.map(({ parent, total }) => [parent as string, Number(total)]))
}

export const read = ({ engine, reader }: Source, { text, sql: withMarks, values }: Sql): Promise<PlainRow[]> =>
  reader.read(engine === 'sqlite' ? withMarks : text, values as readonly PlainValue[])

/** PostgreSQL's named statements are never released: one parameter serves any number of parents. */
export const among = ({ engine }: Source, ids: readonly string[]): Sql =>
  engine === 'sqlite' ? join([...ids]) : sql`SELECT unnest(${ids}::text[])`

const listed = ({ engine }: Source, { table, index }: Listing): Sql =>
  engine === 'sqlite' && index !== undefined ? raw(`${table} x INDEXED BY ${index}`) : raw(`${table} x`)

/** A list as its pages are read: along the index of its order, unless the conditions have a better one. */
const paged = (listing: Listing): Listing =>
  listing.index === undefined && listing.along !== undefined ? { ...listing, index: listing.along } : listing

function keyset({ engine }: Source, { table, order, direction }: Listing, { after, before }: Window): Sql[] {
  const names = join(order.map((field) => ordered(engine, table, field, 'x')))
  const values = (key: Key) => join(order.map((field, at) => orderedValue(engine, table, field, key[at] ?? null)))
  const [forward, backward] = direction === 'asc' ? [raw('>'), raw('<')] : [raw('<'), raw('>')]
  return [
    ...(after ? [sql`(${names}) ${forward} (${values(after)})`] : []),
    ...(before ? [sql`(${names}) ${backward} (${values(before)})`] : []),
  ]
}

function ordering({ engine }: Source, alias: string, listing: Listing, { inverted }: Window): Sql {
  const { table, order, direction, nullsFirst } = listing
  const way = raw(((direction === 'asc') === inverted ? 'DESC' : 'ASC') + (nullsFirst ? ' NULLS FIRST' : ''))
  const term = (field: string) =>
    nullsFirst ? raw(`${alias}.${columnOf(table, field)}`) : ordered(engine, table, field, alias)
  return join(order.map((field) => sql`${term(field)} ${way}`))
}

const selection = (alias: string, table: Table, fields: readonly string[]): Sql =>
  join(fields.map((field) => sql`${raw(`${alias}.${columnOf(table, field)}`)} AS ${raw(`"${field}"`)}`))

/** The columns that the outer query reads from the inner one: the fields and the order, each once. */
const innerColumns = (alias: string, { table, order }: Listing, fields: readonly string[]): Sql => {
  const names = new Set([...fields, ...order].map((field) => columnOf(table, field)))
  return join([...names].map((name) => raw(`${alias}.${name}`)))
}

function parentOf({ table, parent }: Listing): NonNullable<Listing['parent']> {
  if (!parent) throw new Error(`${table} is listed here without a parent`)
  return parent
}
