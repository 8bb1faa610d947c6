import type { Connection, LedgerReader } from '../client/connection.ts'
import { MigrationError } from './error.ts'
import { type Migration, migrationsFolder, readMigrations } from './files.ts'
import { recordApplied, recordRolledBack } from './ledger.ts'
import { exclusively } from './lock.ts'
import { makePlan } from './plan.ts'

export { MigrationError } from './error.ts'

export interface MigrationStatus {
  readonly name: string
  readonly state: 'applied' | 'pending'
  readonly appliedAt: Date | null
}

/**
 * Applies pending migrations, each with its entry in the ledger in its own transaction; several processes may do so at
 * the same time. Returns the names that this call applied, in order.
 * @throws MigrationError before any change where history and files contradict each other, or when a migration fails
 * (the ones before it stay).
 */
export async function migrateUp(
  connection: Connection,
  log: (message: string) => void = () => undefined,
  folder = migrationsFolder,
): Promise<string[]> {
  const migrations = await readMigrations(connection.engine, folder)
  const done: string[] = []
  // Checked without a lock first: the usual start finds no pending migration and does not wait.
  while ((await makePlan(connection, migrations)).pending.length > 0) {
    const name = await exclusively(connection, () => applyNext(connection, migrations))
    if (name === undefined) break
    log(`applied migration ${name}`)
    done.push(name)
  }
  return done
}

/**
 * Reverts the newest `steps` migrations, including the data in their tables and columns. Returns their names, newest
 * first.
 * @throws MigrationError as migrateUp, and before any change where one of them has no way back.
 */
export async function migrateDown(connection: Connection, steps = 1, folder = migrationsFolder): Promise<string[]> {
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new MigrationError(`The number of migrations to take back is at least 1, not ${steps}. Nothing was changed.`)
  }
  const migrations = await readMigrations(connection.engine, folder)
  const { applied } = await makePlan(connection, migrations)
  const targets = applied.slice(-steps)
  for (const target of targets) wayBack(target)
  const done: string[] = []
  for (const { name } of targets.toReversed()) {
    if (!(await exclusively(connection, () => takeBack(connection, migrations, name)))) break
    done.push(name)
  }
  return done
}

/** Every migration of the program, and whether the database has it. @throws MigrationError as migrateUp. */
export async function migrationStatus(connection: LedgerReader, folder = migrationsFolder): Promise<MigrationStatus[]> {
  const migrations = await readMigrations(connection.engine, folder)
  const { applied } = await makePlan(connection, migrations)
  const dates = new Map(applied.map(({ name, appliedAt }) => [name, appliedAt]))
  return migrations.map(({ name }) => {
    const appliedAt = dates.get(name) ?? null
    return { name, state: appliedAt === null ? 'pending' : 'applied', appliedAt }
  })
}

/** Passes when the database has exactly the migrations of the program. @throws MigrationError with the difference. */
export async function assertCurrent(connection: LedgerReader, folder = migrationsFolder): Promise<void> {
  const pending = (await migrationStatus(connection, folder)).filter(({ state }) => state === 'pending')
  if (pending.length === 0) return
  throw new MigrationError(
    `The database lacks ${pending.map(({ name }) => name).join(', ')}. Run "orrery migrate up". Nothing was changed.`,
  )
}

/** Runs under the lock, where the plan may differ from the earlier one: another process may have been faster. */
async function applyNext(connection: Connection, migrations: readonly Migration[]): Promise<string | undefined> {
  const [next] = (await makePlan(connection, migrations)).pending
  if (next === undefined) return undefined
  const startedAt = new Date()
  await run(connection, next.name, next.sql)
  await recordApplied(connection, next, startedAt)
  return next.name
}

/**
 * False when the migration is no longer the newest: another process was faster, and continuing would revert too much.
 */
async function takeBack(connection: Connection, migrations: readonly Migration[], name: string): Promise<boolean> {
  const newest = (await makePlan(connection, migrations)).applied.at(-1)
  if (newest?.name !== name) return false
  await run(connection, `${name} (its way back)`, wayBack(newest))
  await recordRolledBack(connection, name)
  return true
}

function wayBack({ name, downSql }: Migration): string {
  if (downSql !== null) return downSql
  throw new MigrationError(
    `The migration ${name} cannot be taken back: it has no down.sql. Write one, or restore a backup. Nothing was changed.`,
  )
}

async function run(connection: Connection, name: string, sql: string): Promise<void> {
  try {
    await connection.script(sql)
    await assertForeignKeys(connection)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new MigrationError(
      `The migration ${name} failed and was undone: ${reason}. Correct what it met in the database or the file, then ` +
        'start again. The migrations before it stay.',
      { cause },
    )
  }
}

/** SQLite does not check foreign keys during a migration (lock.ts explains why), so this does. */
async function assertForeignKeys(connection: Connection): Promise<void> {
  if (connection.engine !== 'sqlite') return
  const [violation] = await connection.query('PRAGMA foreign_key_check')
  if (violation === undefined) return
  throw new Error(`a row of ${String(violation['table'])} refers to one of ${String(violation['parent'])} that is gone`)
}
