import { columnOf, type Table } from '../client/columns.ts'
import type { Engine } from '../client/types.ts'
import { timeText } from './row-values.ts'
import { raw, sql, type Sql } from './sql.ts'

/** A row's value of a field by which it is ordered. */
export type KeyValue = string | number | Date | null

/**
 * How the values of a field are compared, where it is not as its column: null is before all values on both engines, and
 * addresses are compared as numbers. Migration 015 has the same expressions in its indexes.
 * @param value SQL of the column or of a bound value
 */
type Comparison = Readonly<Record<Engine, (value: string) => string>>

const time: Comparison = {
  sqlite: (value) => `coalesce(${value}, '')`,
  postgresql: (value) => `coalesce(${value}, '-infinity'::timestamp)`,
}
const number: Comparison = {
  sqlite: (value) => `coalesce(${value}, 0)`,
  postgresql: (value) => `coalesce(${value}, 0)`,
}

const address: Comparison = {
  sqlite(value) {
    const list = `'[' || replace(${value}, '.', ',') || ']'`
    const [a, b, c, d] = [0, 1, 2, 3].map((at) => `json_extract(${list}, '$[${at}]')`)
    return `CASE WHEN json_valid(${list}) THEN coalesce(${a} * 16777216 + ${b} * 65536 + ${c} * 256 + ${d}, -1) ELSE -1 END`
  },
  postgresql(value) {
    const [a, b, c, d] = [1, 2, 3, 4].map((at) => `split_part(${value}, '.', ${at})::bigint`)
    const isAddress = `${value} ~ '^\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}$'`
    return `(CASE WHEN ${isAddress} THEN ${a} * 16777216 + ${b} * 65536 + ${c} * 256 + ${d} ELSE -1 END)`
  },
}

const comparisons: Readonly<Record<string, Comparison>> = {
  'nodes.lastSeenAt': time,
  'nodes.certificateExpiresAt': time,
  'nodes.runningConfigVersion': number,
  'nodes.overlayIp': address,
}

/** What a field of row `alias` is ordered by. */
export function ordered(engine: Engine, table: Table, field: string, alias: string): Sql {
  const column = `${alias}.${columnOf(table, field)}`
  return raw(comparisons[`${table}.${field}`]?.[engine](column) ?? column)
}

/** What a row with this value is ordered by. */
export function orderedValue(engine: Engine, table: Table, field: string, value: KeyValue): Sql {
  const comparison = comparisons[`${table}.${field}`]
  if (value === null) return raw(comparison?.[engine]('NULL') ?? 'NULL')
  if (value instanceof Date) {
    const bound = sql`${timeText(value.getTime())}`
    return engine === 'sqlite' ? bound : sql`${bound}::timestamp(3)`
  }
  if (comparison !== address) return sql`${value}`
  const number = numberOf(String(value))
  return engine === 'sqlite' ? sql`${number}` : sql`${number}::bigint`
}

/** The number of an IPv4 address; -1 for any other text, as in the indexes. */
function numberOf(text: string): number {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return -1
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

/** The forms of values in a cursor, where they are not texts. */
const isTime = new Set(['createdAt', 'lastSeenAt', 'certificateExpiresAt'])
const isNumber = new Set(['version', 'configVersion', 'runningConfigVersion'])
const isNullable = new Set(['lastSeenAt', 'certificateExpiresAt', 'runningConfigVersion'])

/** The value of a field that a cursor has as JSON; undefined when it cannot be one of that field. */
export function keyValue(field: string, value: string | number | null): KeyValue | undefined {
  if (value === null) return isNullable.has(field) ? null : undefined
  if (isNumber.has(field)) return typeof value === 'number' ? value : undefined
  if (typeof value !== 'string') return undefined
  if (!isTime.has(field)) return value
  const time = new Date(value)
  return Number.isNaN(time.getTime()) || time.toISOString() !== value ? undefined : time
}
