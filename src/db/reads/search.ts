import { scopeConditions } from '../client/scope-condition.ts'
import type { Table } from '../client/columns.ts'
import { ordered, orderedValue } from './order.ts'
import { read, type Source } from './pages.ts'
import type { PlainRow } from './plain-reader.ts'
import { all, raw, sql, type Sql } from './sql.ts'

/** The tables that are searched. */
export type SearchedTable = 'tenants' | 'clusters' | 'nodes'

/** A row that was found, with the value in which something was found. */
export interface FoundRow {
  readonly id: string
  readonly value: string
}

/** Rows of a list that are read for one question, at most: some milliseconds of work on SQLite. */
const mostRead = 2000

/**
 * Rows whose name contains a part, case-insensitive: first the name itself, then names that begin with it. Of nodes along
 * idx_nodes_by_name, without reading a row. Figure: the search among 100 000 nodes.
 */
export function searchNames(source: Source, table: SearchedTable, part: string, limit: number): Promise<FoundRow[]> {
  const { engine } = source
  const index =
    table === 'nodes' && engine === 'sqlite' ? raw('nodes x INDEXED BY idx_nodes_by_name') : raw(`${table} x`)
  const begins = like(source, sql`x.name`, `${escaped(part)}%`)
  const condition = like(source, sql`x.name`, `%${escaped(part)}%`)
  return find(
    source,
    sql`SELECT x.id, x.name AS value FROM ${index} WHERE ${within(source, table, condition)}
      ORDER BY CASE WHEN lower(x.name) = lower(${part}) THEN 0 WHEN ${begins} THEN 1 ELSE 2 END, x.name, x.id
      LIMIT ${limit}`,
  )
}

/** Rows whose description contains a part, among the first rows that have a description. */
export function searchDescriptions(source: Source, table: SearchedTable, part: string, limit: number) {
  const rows = sql`SELECT x.id, x.description AS value FROM ${described(source, table)}
    WHERE ${within(source, table, sql`x.description IS NOT NULL`)} LIMIT ${mostRead}`
  const condition = like(source, sql`x.value`, `%${escaped(part)}%`)
  return find(source, sql`SELECT x.id, x.value FROM (${rows}) x WHERE ${condition} ORDER BY x.id LIMIT ${limit}`)
}

/** The row with an id. */
export const searchId = (source: Source, table: SearchedTable, id: string): Promise<FoundRow[]> =>
  find(source, sql`SELECT x.id, x.id AS value FROM ${raw(table)} x WHERE ${within(source, table, sql`x.id = ${id}`)}`)

/** Nodes with an overlay address, which several clusters may have; along idx_nodes_by_address. */
export function searchAddress(source: Source, address: string, limit: number): Promise<FoundRow[]> {
  const { engine } = source
  const place = ordered(engine, 'nodes', 'overlayIp', 'x')
  const condition = sql`${place} = ${orderedValue(engine, 'nodes', 'overlayIp', address)}`
  const table = raw(engine === 'sqlite' ? 'nodes x INDEXED BY idx_nodes_by_address' : 'nodes x')
  return find(
    source,
    sql`SELECT x.id, x.overlay_ip AS value FROM ${table} WHERE ${within(source, 'nodes', condition)}
      ORDER BY ${place}, x.id LIMIT ${limit}`,
  )
}

/** Nodes whose certificate has a fingerprint that begins with these hex digits; along idx_nodes_fingerprint. */
export function searchFingerprint(source: Source, prefix: string, limit: number): Promise<FoundRow[]> {
  const table = raw(source.engine === 'sqlite' ? 'nodes x INDEXED BY idx_nodes_fingerprint' : 'nodes x')
  // `g` is the letter after the last hex digit.
  const condition = sql`x.certificate_fingerprint >= ${prefix} AND x.certificate_fingerprint < ${`${prefix}g`}`
  return find(
    source,
    sql`SELECT x.id, x.certificate_fingerprint AS value FROM ${table} WHERE ${within(source, 'nodes', condition)}
      ORDER BY x.certificate_fingerprint LIMIT ${limit}`,
  )
}

/** The networks behind the first nodes that have routes, as JSON lists. */
export const routesOfNodes = (source: Source): Promise<FoundRow[]> => {
  const table = raw(source.engine === 'sqlite' ? 'nodes x INDEXED BY idx_nodes_with_routes' : 'nodes x')
  const routes = raw(source.engine === 'sqlite' ? 'x.routes' : 'x.routes::text')
  const condition = within(source, 'nodes', sql`x.routes <> '[]'`)
  return find(source, sql`SELECT x.id, ${routes} AS value FROM ${table} WHERE ${condition} LIMIT ${mostRead}`)
}

/** The overlay networks of the first clusters. */
export const networksOfClusters = (source: Source): Promise<FoundRow[]> =>
  find(
    source,
    sql`SELECT x.id, x.network_cidr AS value FROM clusters x WHERE ${within(source, 'clusters')} LIMIT ${mostRead}`,
  )

const within = ({ scope }: Source, table: Table, ...conditions: Sql[]): Sql =>
  all([...scopeConditions(table, scope), ...conditions])

const find = async (source: Source, statement: Sql): Promise<FoundRow[]> =>
  (await read(source, statement)).map(({ id, value }: PlainRow) => ({ id: String(id), value: String(value) }))

const escaped = (part: string): string => part.replace(/[\\%_]/g, (mark) => `\\${mark}`)

/** SQLite's LIKE ignores the case of ASCII letters by itself, faster than `lower`. */
const like = ({ engine }: Source, value: Sql, pattern: string): Sql =>
  engine === 'sqlite'
    ? sql`${value} LIKE ${pattern} ESCAPE '\\'`
    : sql`lower(${value}) LIKE lower(${pattern}) ESCAPE '\\'`

const described = ({ engine }: Source, table: SearchedTable): Sql =>
  raw(table === 'nodes' && engine === 'sqlite' ? 'nodes x INDEXED BY idx_nodes_described' : `${table} x`)
