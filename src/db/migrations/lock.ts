import { setTimeout as sleep } from 'node:timers/promises'

import type { Connection } from '../client/connection.ts'
import { codeOf, MigrationError } from './error.ts'

/** The key of Prisma's own advisory lock: `prisma migrate deploy` and Orrery wait for each other. */
const advisoryLock = 72707369

/** How long to wait for another migrating process, in milliseconds. */
const patience = 60_000

/**
 * Runs `work` in one transaction that excludes migrations by other processes. An error rolls it back completely: both
 * engines roll back definitions of tables like other changes.
 */
export async function exclusively<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await begin(connection)
  try {
    const result = await work()
    await connection.script('COMMIT')
    return result
  } catch (error) {
    // If this fails, the connection is lost or the engine has already rolled back; report the first error.
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
  // With foreign keys enabled, dropping a table deletes its rows first, with cascades: a migration that rebuilds a
  // table (SQLite's way of altering one) would empty others. The migration checks the keys at its end instead.
  await connection.script('PRAGMA foreign_keys = OFF')
  for (;;) {
    if (await tryBegin(connection)) return
    if (Date.now() > deadline) throw timedOut()
    await sleep(25)
  }
}

/** Avoids the driver's own waiting, which would block the whole process, possibly including the holder of the lock. */
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
