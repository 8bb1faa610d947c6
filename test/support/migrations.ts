import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'

import type { Connection } from '../../src/db/client/connection.ts'
import { migrationsFolder } from '../../src/db/migrations/files.ts'
import { engines } from './database.ts'
import { structureOf } from './structure.ts'

/** The program's migrations, in order. Both engines have the same: tests compare these with what each one applies. */
export const names: readonly string[] = readdirSync(join(migrationsFolder, 'sqlite'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort()

/** The migration that creates a table. */
export function creating(table: string): string {
  const isCreated = (name: string) =>
    readFileSync(join(migrationsFolder, 'sqlite', name, 'migration.sql'), 'utf8').includes(`CREATE TABLE "${table}"`)
  const found = names.find(isCreated)
  if (found === undefined) throw new Error(`no migration creates ${table}`)
  return found
}

/** A migration and all later ones, in order. */
export const since = (name: string): readonly string[] => names.slice(names.indexOf(name))

/** A copy of the program's migrations, or of some of them, that a test may damage. */
export async function copyMigrations(of = names): Promise<{ folder: string; drop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'orrery-migrations-'))
  await cp(migrationsFolder, folder, { recursive: true })
  for (const engine of engines) {
    for (const name of names.filter((each) => !of.includes(each)))
      await rm(join(folder, engine, name), { recursive: true })
  }
  return { folder, drop: () => rm(folder, { recursive: true }) }
}

/** Adds one more migration to a copy. */
export async function addMigration(folder: string, connection: Connection, name: string, sql: string): Promise<void> {
  const path = join(folder, connection.engine, name)
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'migration.sql'), sql)
}

/** Everything that a refused migration must leave unchanged: the structure, and the ledger row by row. */
export async function everythingIn(connection: Connection): Promise<unknown> {
  const structure = await structureOf(connection)
  const ledger = await connection.query('SELECT * FROM "_prisma_migrations" ORDER BY migration_name, started_at')
  return { structure, ledger }
}

/** A process that waits for `go` and then migrates the database. */
export async function startMigrating(url: string, folder = migrationsFolder) {
  const program = fileURLToPath(new URL('migrate-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program, url, folder])
  const errors = text(child.stderr)
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const output: string[] = []
  child.stdout.setEncoding('utf8')
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: string) => {
      output.push(chunk)
      resolve()
    })
    void exited.then(async () => reject(new Error(`the process did not start: ${await errors}`)))
  })
  await ready
  return {
    go: () => child.stdin.end(),
    kill: () => child.kill('SIGKILL'),
    /** Its output after "ready", once it has ended. */
    async end() {
      const code = await exited
      return { code, applied: output.join('').replace('ready\n', ''), errors: await errors }
    },
  }
}
