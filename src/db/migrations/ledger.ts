import { randomUUID } from 'node:crypto'

import type { Connection, LedgerReader } from '../client/connection.ts'
import type { Migration } from './files.ts'

/** Prisma's own table: `prisma migrate status` and `prisma migrate deploy` read the same history. */
export const ledgerTable = '_prisma_migrations'

/** One migration that was started and not rolled back since. */
export interface LedgerEntry {
  readonly name: string
  readonly checksum: string
  readonly startedAt: Date | null
  /** Null while it runs, and permanently if it failed. */
  readonly finishedAt: Date | null
}

/** As Prisma's schema engine creates it, column by column. */
const createLedger = {
  sqlite: `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`,
  postgresql: `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum"              VARCHAR(64) NOT NULL,
    "finished_at"           TIMESTAMPTZ,
    "migration_name"        VARCHAR(255) NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        TIMESTAMPTZ,
    "started_at"            TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count"   INTEGER NOT NULL DEFAULT 0
)`,
}

/**
 * The entries of an existing ledger for migrations that are or were being applied; rows that were rolled back are left
 * out.
 */
export async function readLedger(connection: LedgerReader): Promise<LedgerEntry[]> {
  const rows = await connection.query(
    `SELECT migration_name, checksum, started_at, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL`,
  )
  return rows.map((row) => ({
    name: String(row['migration_name']),
    checksum: String(row['checksum']),
    startedAt: toDate(row['started_at']),
    finishedAt: toDate(row['finished_at']),
  }))
}

/** Records a migration that was applied since `startedAt`, creating the ledger if necessary. */
export async function recordApplied(connection: Connection, migration: Migration, startedAt: Date): Promise<void> {
  await connection.script(createLedger[connection.engine])
  await connection.query(
    `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     VALUES ($1, $2, $3, $4, $5, 1)`,
    [randomUUID(), migration.checksum, migration.name, timestamp(startedAt), timestamp(new Date())],
  )
}

/** Prisma ignores a row with `rolled_back_at`, and so does Orrery: it stays as history. */
export async function recordRolledBack(connection: Connection, name: string): Promise<void> {
  await connection.query(
    `UPDATE "_prisma_migrations" SET rolled_back_at = $1 WHERE migration_name = $2 AND rolled_back_at IS NULL`,
    [timestamp(new Date()), name],
  )
}

/** Uses the one format of Prisma's SQLite adapter, since its text is compared: `2025-01-21T08:00:00.000+00:00`. */
function timestamp(date: Date): string {
  return date.toISOString().replace('Z', '+00:00')
}

/**
 * Reads all formats that a writer may have used: a date, ISO 8601, SQLite's `YYYY-MM-DD hh:mm:ss` in UTC, or
 * milliseconds.
 */
function toDate(value: unknown): Date | null {
  if (value instanceof Date) return value
  if (typeof value === 'number') return new Date(value)
  if (typeof value !== 'string') return null
  return new Date(value.includes('T') ? value : `${value.replace(' ', 'T')}Z`)
}
