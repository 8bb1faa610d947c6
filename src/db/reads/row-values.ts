import type { Table } from '../client/columns.ts'
import { getDatamodel } from '../generated/pothos.ts'
import type { PlainRow } from './plain-reader.ts'

const models = { tenants: 'Tenant', clusters: 'Cluster', nodes: 'Node', config_bundles: 'ConfigBundle' } as const

type Reading = (value: unknown) => unknown

const readings: Readonly<Record<string, Reading>> = {
  Boolean: (value) => value === true || value === 1,
  DateTime: (value) => new Date(asUtc(value as string)),
  Json: (value): unknown => (typeof value === 'string' ? JSON.parse(value) : value),
}

/** PostgreSQL writes `2026-11-27 09:00:00.123` and means UTC, as the client does. */
const asUtc = (text: string): string => (text.includes('T') ? text : `${text.replace(' ', 'T')}Z`)

const { datamodel } = getDatamodel()

/** By table, the fields whose values the drivers do not give as the model has them. */
const conversions = Object.fromEntries(
  Object.entries(models).map(([table, model]) => [
    table,
    (datamodel.models[model]?.fields ?? []).flatMap(({ name, type }): [string, Reading][] => {
      const reading = readings[type]
      return reading ? [[name, reading]] : []
    }),
  ]),
)

/** How the values of some fields of a table are read; empty where the drivers give all of them as the model has them. */
export type Readings = readonly (readonly [field: string, reading: Reading])[]

export const readingsOf = (table: Table, fields: ReadonlySet<string>): Readings =>
  (conversions[table] ?? []).filter(([field]) => fields.has(field))

/** A row as the driver gave it, by field, with its values as the model has them; changed in place. */
export function typed(table: Table, row: PlainRow, readings: Readings = conversions[table] ?? []): PlainRow {
  for (const [field, reading] of readings) {
    const value = row[field]
    if (value !== undefined && value !== null) row[field] = reading(value)
  }
  return row
}

/** As Prisma writes times to SQLite, where texts of two forms do not compare; PostgreSQL reads it as UTC. */
export const timeText = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('Z', '+00:00')
