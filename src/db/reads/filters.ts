import type { Engine } from '../client/types.ts'
import { isFailing, isOutdated, isUnseen, nodeStatus, type NodeStatus, type StatusTimes } from './node-status.ts'
import { timeText } from './row-values.ts'
import { all, join, raw, sql, type Sql } from './sql.ts'

/** A field of a filter that is absent or null does not narrow a list. */
type Given<T> = T | null | undefined

/** Filters that combine: a row must meet every field. */
interface Combined<Filter> {
  readonly and?: Given<readonly Filter[]>
  /** At least one of them. */
  readonly or?: Given<readonly Filter[]>
  readonly not?: Given<Filter>
}

/** Parts of texts are compared case-insensitively. */
export interface TenantFilter extends Combined<TenantFilter> {
  readonly name?: Given<string>
  /** Part of the name or the description. */
  readonly text?: Given<string>
  readonly ids?: Given<readonly string[]>
}

export interface ClusterFilter extends Combined<ClusterFilter> {
  readonly name?: Given<string>
  /** Part of the name, the description or the network. */
  readonly text?: Given<string>
  readonly ids?: Given<readonly string[]>
  /** Only clusters of this tenant. */
  readonly tenantId?: Given<string>
}

export interface NodeFilter extends Combined<NodeFilter> {
  readonly name?: Given<string>
  /** Part of the name, the description or the overlay address. */
  readonly text?: Given<string>
  readonly groups?: Given<{ readonly anyOf?: Given<readonly string[]>; readonly allOf?: Given<readonly string[]> }>
  /** All of these labels. */
  readonly labels?: Given<readonly { readonly key: string; readonly value: string }[]>
  readonly isLighthouse?: Given<boolean>
  readonly isRelay?: Given<boolean>
  readonly isAdmin?: Given<boolean>
  /** Whether the node has routes to networks behind it. */
  readonly hasRoutes?: Given<boolean>
  readonly status?: Given<readonly NodeStatus[]>
  /** Not seen since then, or never. */
  readonly unseenSince?: Given<Date>
  readonly certificateExpiresBefore?: Given<Date>
  readonly nebulaVersion?: Given<string>
  /** Whether it runs an older version than the newest published one, or none. */
  readonly outdated?: Given<boolean>
  /** Whether convergence counts it as failed. */
  readonly failing?: Given<boolean>
}

/** What conditions about nodes `x` are made for. */
export interface NodeConditions {
  readonly engine: Engine
  readonly times: StatusTimes
  /** The newest published version of the node's cluster; absent to look it up for each row. */
  readonly newest?: Sql | undefined
}

export const tenantConditions = (filter: TenantFilter): Sql[] =>
  combined(filter, ({ name, text, ids }) => [
    ...contains(['name'], name),
    ...contains(['name', 'description'], text),
    ...oneOf('id', ids),
  ])

export const clusterConditions = (filter: ClusterFilter): Sql[] =>
  combined(filter, ({ name, text, ids, tenantId }) => [
    ...contains(['name'], name),
    ...contains(['name', 'description', 'network_cidr'], text),
    ...oneOf('id', ids),
    ...oneOf('tenant_id', tenantId ? [tenantId] : null),
  ])

export const nodeConditions = (filter: NodeFilter, { engine, times, newest }: NodeConditions): Sql[] =>
  combined(filter, (own) => [
    ...contains(['name'], own.name),
    ...contains(['name', 'description', 'overlay_ip'], own.text),
    ...(own.groups?.anyOf ? [any(own.groups.anyOf.map((group) => hasGroup(engine, group)))] : []),
    ...(own.groups?.allOf ?? []).map((group) => hasGroup(engine, group)),
    ...(own.labels ?? []).map((label) => hasLabel(engine, label)),
    ...flag(sql`x.is_lighthouse`, own.isLighthouse),
    ...flag(sql`x.is_relay`, own.isRelay),
    ...flag(sql`x.is_admin`, own.isAdmin),
    ...flag(sql`(x.routes <> '[]')`, own.hasRoutes),
    ...(own.status ? [sql`${nodeStatus(times, newest)} IN (${join([...own.status])})`] : []),
    ...(own.unseenSince ? [isUnseen(own.unseenSince)] : []),
    ...(own.certificateExpiresBefore
      ? [known(sql`x.certificate_expires_at < ${timeText(own.certificateExpiresBefore.getTime())}`)]
      : []),
    ...(own.nebulaVersion ? [known(sql`x.nebula_version = ${own.nebulaVersion}`)] : []),
    ...flag(isOutdated(newest), own.outdated),
    ...flag(sql`(x.certificate IS NOT NULL AND ${known(isFailing(times, newest))})`, own.failing),
  ])

/** The conditions of a filter and of those that are combined in it; each is true or false, never unknown. */
function combined<Filter extends Combined<Filter>>(filter: Filter, own: (filter: Filter) => Sql[]): Sql[] {
  const whole = (one: Filter): Sql => sql`(${all(combined(one, own))})`
  return [
    ...own(filter),
    ...(filter.and ?? []).map(whole),
    ...(filter.or ? [any(filter.or.map(whole))] : []),
    ...(filter.not ? [sql`NOT ${whole(filter.not)}`] : []),
  ]
}

const any = (conditions: readonly Sql[]): Sql => sql`(${join([...conditions], ' OR ')})`

/** A comparison with a column that may be null: then it is false, and its opposite true. */
const known = (condition: Sql): Sql => sql`coalesce(${condition}, FALSE)`

/** Whether the condition is true. Written as the bare column, as the partial indexes declare it. */
const flag = (condition: Sql, wanted: Given<boolean>): Sql[] =>
  typeof wanted === 'boolean' ? [wanted ? condition : sql`NOT ${condition}`] : []

const oneOf = (column: string, values: Given<readonly string[]>): Sql[] =>
  values ? [sql`x.${raw(column)} IN (${join([...values])})`] : []

/** One of the columns contains `part`, case-insensitive; `%` and `_` in the part are literal. */
function contains(columns: readonly string[], part: Given<string>): Sql[] {
  if (!part) return []
  const pattern = `%${part.replace(/[\\%_]/g, (mark) => `\\${mark}`)}%`
  return [any(columns.map((column) => known(sql`lower(x.${raw(column)}) LIKE lower(${pattern}) ESCAPE '\\'`)))]
}

const hasGroup = (engine: Engine, group: string): Sql =>
  engine === 'sqlite'
    ? sql`EXISTS (SELECT 1 FROM json_each(x.groups) g WHERE g.value = ${group})`
    : sql`x.groups @> ${JSON.stringify([group])}::jsonb`

const hasLabel = (engine: Engine, { key, value }: { readonly key: string; readonly value: string }): Sql =>
  engine === 'sqlite'
    ? sql`EXISTS (SELECT 1 FROM json_each(x.labels) l WHERE l.key = ${key} AND l.value = ${value})`
    : sql`x.labels @> ${JSON.stringify({ [key]: value })}::jsonb`
