import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The kept secret cannot be used; the message says what to do. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
}

/**
 * The secret of an installation that was given none: made once, 32 random bytes in hex, kept in the data folder and
 * readable by its owner alone.
 * @returns the secret, and whether this call made it
 * @throws SecretError
 */
export async function keptSecret(dataDir: string): Promise<{ secret: string; isNew: boolean }> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const isNew = (await readSecret(dataDir)) === null && (await makeSecret(dataDir))
  const secret = await readSecret(dataDir)
  if (secret === null) throw new SecretError(`${secretFile(dataDir)} vanished while it was read`)
  return { secret, isNew }
}

/**
 * The kept secret; null when there is none. Takes back read permissions that others may have been given.
 * @throws SecretError
 */
export async function readSecret(dataDir: string): Promise<string | null> {
  const file = secretFile(dataDir)
  let mode: number
  try {
    mode = (await stat(file)).mode
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
  if ((mode & 0o077) !== 0) await chmod(file, 0o600)
  const secret = (await readFile(file, 'utf8')).trim()
  if (secret === '') throw new SecretError(`${file} is empty: restore it from a backup, or set ORRERY_SECRET.`)
  return secret
}

/**
 * Puts a new secret in its place, whole or not at all: of two first starts at once each has the one secret, and a crash
 * leaves no empty file behind. Returns false when another was faster.
 */
async function makeSecret(dataDir: string): Promise<boolean> {
  const draft = join(dataDir, `.secret-${randomBytes(8).toString('hex')}`)
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(`${randomBytes(32).toString('hex')}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // Unlike a renamed file, a link takes no other's place.
    await link(draft, secretFile(dataDir))
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

const secretFile = (dataDir: string): string => join(dataDir, 'secret')

const hasCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code
