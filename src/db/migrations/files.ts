import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { programFile } from '../../base/program.ts'
import type { Engine } from '../client/types.ts'
import { codeOf, MigrationError } from './error.ts'

/**
 * One folder of prisma/migrations/<engine>: migration.sql applies it, down.sql reverts it. A migration that only adds
 * columns needs no down.sql.
 */
export interface Migration {
  readonly name: string
  readonly sql: string
  /** Of migration.sql, as Prisma computes it: SHA-256, hex. */
  readonly checksum: string
  /** Null if there is no way back. */
  readonly downSql: string | null
}

/** The folder of the program's own migrations. */
export const migrationsFolder = fileURLToPath(programFile('prisma/migrations'))

/** The program's migrations for an engine, in the order of application: by name, as in Prisma. */
export async function readMigrations(engine: Engine, folder: string): Promise<Migration[]> {
  const parent = join(folder, engine)
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => [])
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  if (names.length === 0) {
    throw new MigrationError(`The program is incomplete: there are no migrations in ${parent}. Install it again.`)
  }
  return Promise.all(names.sort().map((name) => readMigration(parent, name)))
}

async function readMigration(parent: string, name: string): Promise<Migration> {
  const sql = await readOrNull(join(parent, name, 'migration.sql'))
  if (sql === null) {
    throw new MigrationError(`The program is incomplete: ${join(parent, name)} has no migration.sql. Install it again.`)
  }
  const checksum = createHash('sha256').update(sql).digest('hex')
  return { name, sql, checksum, downSql: (await readOrNull(join(parent, name, 'down.sql'))) ?? wayBackOf(sql) }
}

/** One column, and nothing after a comma: not a second change, whose way back would be missing. */
const addedColumn = /^ALTER TABLE "(\w+)" ADD COLUMN "(\w+)" [^,]+$/

/** The way back of a migration that does nothing but add columns; null for any other. */
function wayBackOf(sql: string): string | null {
  const statements = sql.replaceAll(/--.*$/gm, '').split(';')
  const drops: string[] = []
  for (const statement of statements.map((text) => text.trim()).filter((text) => text !== '')) {
    const [, table, column] = addedColumn.exec(statement) ?? []
    if (table === undefined || column === undefined) return null
    drops.unshift(`ALTER TABLE "${table}" DROP COLUMN "${column}";`)
  }
  return drops.length > 0 ? drops.join('\n') : null
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}
