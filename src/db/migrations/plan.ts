import type { LedgerReader } from '../client/connection.ts'
import { MigrationError } from './error.ts'
import type { Migration } from './files.ts'
import { type LedgerEntry, ledgerTable, readLedger } from './ledger.ts'

/** The applied and the pending migrations, in order. */
export interface Plan {
  readonly applied: readonly (Migration & { readonly appliedAt: Date })[]
  readonly pending: readonly Migration[]
}

/** Reads the database's history and compares it with the program's migrations; throws if they contradict each other. */
export async function makePlan(connection: LedgerReader, migrations: readonly Migration[]): Promise<Plan> {
  // In this order, so that the ledger shows what another process migrates in between.
  const tables = await listTables(connection)
  const entries = tables.includes(ledgerTable) ? await readLedger(connection) : []
  assertFinished(entries)
  assertKnown(entries, migrations)
  assertUnedited(entries, migrations)
  assertOurs(entries, tables)
  const appliedAt = new Map(entries.map(({ name, finishedAt }) => [name, finishedAt]))
  return {
    applied: migrations.flatMap((migration) => {
      const date = appliedAt.get(migration.name)
      return date ? [{ ...migration, appliedAt: date }] : []
    }),
    pending: migrations.filter(({ name }) => !appliedAt.has(name)),
  }
}

function assertFinished(entries: readonly LedgerEntry[]): void {
  const failed = entries.find(({ finishedAt }) => finishedAt === null)
  if (failed === undefined) return
  throw new MigrationError(
    `The migration ${failed.name} was started at ${failed.startedAt?.toISOString() ?? 'an unknown time'} and did not ` +
      'finish. Restore the database from a backup; or undo by hand whatever the migration did and then run ' +
      `UPDATE _prisma_migrations SET rolled_back_at = CURRENT_TIMESTAMP WHERE migration_name = '${failed.name}'. ` +
      'Nothing was changed.',
  )
}

function assertKnown(entries: readonly LedgerEntry[], migrations: readonly Migration[]): void {
  const names = new Set(migrations.map(({ name }) => name))
  const unknown = entries.map(({ name }) => name).filter((name) => !names.has(name))
  if (unknown.length === 0) return
  throw new MigrationError(
    `The database is newer than this program, which does not know the applied ${unknown.sort().join(', ')}. Start the ` +
      'version of the program that applied it, or a later one; to go back, run its "orrery migrate down" first. ' +
      'Nothing was changed.',
  )
}

function assertUnedited(entries: readonly LedgerEntry[], migrations: readonly Migration[]): void {
  const checksums = new Map(entries.map(({ name, checksum }) => [name, checksum]))
  const edited = migrations.filter(({ name, checksum }) => (checksums.get(name) ?? checksum) !== checksum)
  if (edited.length === 0) return
  throw new MigrationError(
    `Edited after it was applied: ${edited.map(({ name }) => `${name}/migration.sql`).join(', ')}. Put back the file as ` +
      'it was, and make the change in a new migration. Nothing was changed.',
  )
}

function assertOurs(entries: readonly LedgerEntry[], tables: readonly string[]): void {
  const foreign = tables.filter((table) => table !== ledgerTable)
  if (entries.length > 0 || foreign.length === 0) return
  throw new MigrationError(
    `The database is not empty (${foreign.sort().join(', ')}), and no migration of this program made its tables. Set ` +
      'DATABASE_URL to an empty database, or to one of this program. Nothing was changed.',
  )
}

/** The tables of the database; on PostgreSQL, of the schema public and without those of extensions. */
async function listTables(connection: LedgerReader): Promise<string[]> {
  const rows = await connection.query(
    connection.engine === 'sqlite'
      ? `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`
      : `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT EXISTS
           (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`,
  )
  return rows.map((row) => String(row['name']))
}
