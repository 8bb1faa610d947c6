import { setTimeout as sleep } from 'node:timers/promises'

import type { Connection } from '../client/connection.ts'
import { codeOf, MigrationError } from './error.ts'

/** The key of Prisma's own advisory lock: `prisma migrate deploy` waits for us, and we for it. */
const advisoryLock = 72707369

/** How long to wait for another process that is migrating, in milliseconds. */
const patience = 60_000

/**
 * Runs `work` in one transaction that no other process can migrate the database beside. Whatever throws in it undoes it
 * whole: both engines roll back the definition of tables like any other change.
 */
export async function exclusively<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await begin(connection)
  try {
    const result = await work()
    await connection.script('COMMIT')
    return result
  } catch (error) {
    // Where this fails, the connection is lost or the engine has rolled back by itself; the first error is the one to tell.
    await connection.script('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    if (connection.engine === 'sqlite') await connection.script('PRAGMA foreign_keys = ON')
  }
}

async function begin(connection: Connection): Promise<void> {
  const deadline = Date.now() + patience
  if (connection.engine === 'sqlite') await beginSqlite(connection, deadline)
  else await beginPostgresql(connection)
}

async function beginSqlite(connection: Connection, deadline: number): Promise<void> {
  // While they are checked, dropping a table deletes its rows first, and theirs cascade: a migration that rebuilds a
  // table (SQLite's way of altering one) would empty others. Whoever migrates checks them at the end instead.
  await connection.script('PRAGMA foreign_keys = OFF')
  for (;;) {
    if (await tryBegin(connection)) return
    if (Date.now() > deadline) throw timedOut()
    await sleep(25)
  }
}

/** Without the driver's own waiting, which would stop the whole process, the holder of the lock perhaps included. */
async function tryBegin(connection: Connection): Promise<boolean> {
  await connection.script('PRAGMA busy_timeout = 0')
  try {
    await connection.script('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if (codeOf(error)?.startsWith('SQLITE_BUSY')) return false
    throw error
  } finally {
    await connection.script('PRAGMA busy_timeout = 5000')
  }
}

async function beginPostgresql(connection: Connection): Promise<void> {
  await connection.script(`BEGIN; SET LOCAL lock_timeout = ${patience}`)
  try {
    await connection.query(`SELECT pg_advisory_xact_lock(${advisoryLock})`)
  } catch (cause) {
    await connection.script('ROLLBACK')
    throw codeOf(cause) === '55P03' ? timedOut(cause) : cause
  }
}

function timedOut(cause?: unknown): MigrationError {
  return new MigrationError(
    'Another process has been migrating this database for a minute. Wait for it or end it, then start again. Nothing was changed.',
    { cause },
  )
}
