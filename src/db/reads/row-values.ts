import { models, type Table } from '../client/columns.ts'
import { getDatamodel } from '../generated/pothos.ts'
import type { PlainRow } from './plain-reader.ts'

type Reading = (value: unknown) => unknown

const readings: Readonly<Record<string, Reading>> = {
  Boolean: (value) => value === true || value === 1,
  DateTime: (value) => timeOf(value as string),
  Json: (value): unknown => (typeof value === 'string' ? JSON.parse(value) : value),
}

/** The time of a column. PostgreSQL writes `2026-11-27 09:00:00.123` and means UTC, as the client does. */
export const timeOf = (text: string): Date => new Date(text.includes('T') ? text : `${text.replace(' ', 'T')}Z`)

const { datamodel } = getDatamodel()

/** By table, the fields whose values differ between the drivers and the model. */
const conversions = Object.fromEntries(
  Object.entries(models).map(([table, model]) => [
    table,
    (datamodel.models[model]?.fields ?? []).flatMap(({ name, type }): [string, Reading][] => {
      const reading = readings[type]
      return reading ? [[name, reading]] : []
    }),
  ]),
)

/** How to read the values of some fields of a table; empty if the drivers return all of them as in the model. */
export type Readings = readonly (readonly [field: string, reading: Reading])[]

export const readingsOf = (table: Table, fields: ReadonlySet<string>): Readings =>
  (conversions[table] ?? []).filter(([field]) => fields.has(field))

/** Converts a row of the driver, by field, to the values of the model; changes it in place. */
export function typed(table: Table, row: PlainRow, readings: Readings = conversions[table] ?? []): PlainRow {
  for (const [field, reading] of readings) {
    const value = row[field]
    if (value !== undefined && value !== null) row[field] = reading(value)
  }
  return row
}

/**
 * The form in which Prisma writes times to SQLite, where texts of two forms do not compare; PostgreSQL reads it as UTC.
 */
export const timeText = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('Z', '+00:00')
