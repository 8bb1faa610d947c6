import { randomBytes } from 'node:crypto'
import { chmod, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { createWhole, isMissing, makeFolder, moveFile, writeWhole } from '../base/files.ts'

/** The kept secret cannot be used; the message says what to do. */
class SecretError extends Error {
  override readonly name = 'SecretError'
}

/**
 * The secret of an installation that was configured without one: made once, 32 random bytes in hex, kept in the data
 * folder and readable only by its owner.
 * @returns the secret, and whether this call made it
 * @throws SecretError
 */
export async function keptSecret(dataDir: string): Promise<{ secret: string; isNew: boolean }> {
  await makeFolder(dataDir)
  const isNew = (await readSecret(dataDir)) === null && (await makeSecret(dataDir))
  const secret = await readSecret(dataDir)
  if (secret === null) throw new SecretError(`${secretFile(dataDir)} vanished while it was read`)
  return { secret, isNew }
}

/**
 * The kept secret; null when there is none. Removes read permissions of other users.
 * @throws SecretError
 */
export const readSecret = (dataDir: string): Promise<string | null> => readFrom(secretFile(dataDir))

/** The earlier secrets, the newest first; usually none. */
export async function readPrevious(dataDir: string): Promise<string[]> {
  return (await readFrom(previousFile(dataDir)))?.split('\n') ?? []
}

/** The secret that an interrupted rotation has begun to seal under; null when no rotation was interrupted. */
export const readNext = (dataDir: string): Promise<string | null> => readFrom(nextFile(dataDir))

/** The other secrets that stored keys may be sealed under: the earlier ones, and that of an interrupted rotation. */
export async function readOthers(dataDir: string): Promise<string[]> {
  const next = await readNext(dataDir)
  return [...(await readPrevious(dataDir)), ...(next === null ? [] : [next])]
}

/** Before a rotation: stores the next secret, so that keys sealed under it can be opened. */
export const keepNext = (dataDir: string, secret: string): Promise<void> => replaceFile(nextFile(dataDir), secret)

/** After a rotation: the next secret becomes the kept one, and the kept one becomes the newest of the earlier ones. */
export async function takeNext(dataDir: string): Promise<void> {
  const secret = await readSecret(dataDir)
  const previous = await readPrevious(dataDir)
  const before = [...new Set([secret, ...previous])].filter((one) => one !== null)
  await replaceFile(previousFile(dataDir), before.join('\n'))
  await moveFile(nextFile(dataDir), secretFile(dataDir))
}

const replaceFile = (file: string, text: string): Promise<void> => writeWhole(file, `${text}\n`)

async function readFrom(file: string): Promise<string | null> {
  let mode: number
  try {
    mode = (await stat(file)).mode
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
  if ((mode & 0o077) !== 0) await chmod(file, 0o600)
  const secret = (await readFile(file, 'utf8')).trim()
  if (secret === '') throw new SecretError(`${file} is empty: restore it from a backup, or set ORRERY_SECRET.`)
  return secret
}

/**
 * Stores a new secret, whole or not at all: two first starts at once end up with the same secret, and a crash leaves no
 * empty file. Returns false when another start was faster.
 */
const makeSecret = (dataDir: string): Promise<boolean> =>
  createWhole(secretFile(dataDir), `${randomBytes(32).toString('hex')}\n`)

const secretFile = (dataDir: string): string => join(dataDir, 'secret')
const previousFile = (dataDir: string): string => join(dataDir, 'secret.previous')
const nextFile = (dataDir: string): string => join(dataDir, 'secret.next')
