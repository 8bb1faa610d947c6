import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The secret of an installation that was given none: made once, 32 random bytes in hex, kept in the data folder and
 * readable by its owner alone.
 * @returns the secret, and whether this call made it
 */
export async function keptSecret(dataDir: string): Promise<{ secret: string; isNew: boolean }> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, 'secret')
  try {
    // Exclusively, so that two first starts at once do not each make one.
    const handle = await open(file, 'wx', 0o600)
    try {
      const secret = randomBytes(32).toString('hex')
      await handle.writeFile(`${secret}\n`)
      await handle.sync()
      return { secret, isNew: true }
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const secret = await readSecret(dataDir)
  if (secret === null) throw new Error(`${file} vanished while it was read`)
  return { secret, isNew: false }
}

/** The kept secret; null when there is none. Takes back read permissions that others may have been given. */
export async function readSecret(dataDir: string): Promise<string | null> {
  const file = join(dataDir, 'secret')
  let mode: number
  try {
    mode = (await stat(file)).mode
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  if ((mode & 0o077) !== 0) await chmod(file, 0o600)
  const secret = (await readFile(file, 'utf8')).trim()
  if (secret === '') throw new Error(`${file} is empty: restore it from a backup, or set ORRERY_SECRET`)
  return secret
}
