// One process at a time among all that work in this folder.
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds after which a lock counts as abandoned, even if a process with its holder's number lives. */
const longest = 60_000

/**
 * Does the work while no other process holds the same lock.
 * @template T
 * @param {string} lock a file that contains the number of the process
 * @param {() => T | Promise<T>} work takes less than a minute
 */
export async function alone(lock, work) {
  while (!take(lock)) {
    if (isAbandoned(lock)) rmSync(lock, { force: true })
    else await sleep(50)
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

/** @param {string} lock is never seen without its number, since it is linked when that is written */
function take(lock) {
  const draft = `${lock}.${process.pid}`
  mkdirSync(dirname(lock), { recursive: true })
  writeFileSync(draft, String(process.pid))
  try {
    linkSync(draft, lock)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft)
  }
}

/** @param {string} lock */
function isAbandoned(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > longest) return true
    process.kill(Number(readFileSync(lock, 'utf8')), 0)
    return false
  } catch (error) {
    // ESRCH: the holder is gone. If the lock is gone (ENOENT), or the holder is another user's (EPERM), try again.
    return codeOf(error) === 'ESRCH'
  }
}

/** @param {unknown} error */
const codeOf = (error) => (error instanceof Error && 'code' in error ? error.code : undefined)
