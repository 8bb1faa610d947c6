import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readlink, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/**
 * Writes a file so that it is on the disk, whole, or as it was before: into a draft first, which then replaces the
 * file. One writer at a time.
 */
export async function writeWhole(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const draft = `${path}.draft`
  await rm(draft, { force: true })
  try {
    await writeNew(draft, content, mode)
    await moveFile(draft, path)
  } catch (error) {
    // After a failure, a full disk say, no half-written secret must remain.
    await rm(draft, { force: true })
    throw error
  }
}

/**
 * Creates a file whole, or not at all, where there is none yet; any number of writers at a time.
 * @returns false when there is one, which stays unchanged
 */
export async function createWhole(path: string, content: string | Uint8Array, mode = 0o600): Promise<boolean> {
  const draft = `${path}-${randomBytes(8).toString('hex')}.draft`
  try {
    await writeNew(draft, content, mode)
    // Unlike a rename, a link does not replace an existing file.
    await link(draft, path)
    await syncFolder(dirname(path))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/** Renames a file within its folder, replacing any file of that name; a power cut afterwards does not undo it. */
export async function moveFile(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncFolder(dirname(to))
}

/** Writes a file that does not exist yet, and waits until it is on the disk. */
async function writeNew(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const handle = await open(path, 'wx', mode)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder that only its owner can read, and those above it; all of them are on the disk when it returns. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  // A new folder is an entry of the one above it.
  for (let made = resolve(path); made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

/** Makes a folder with new files appear at once, or not at all. */
export async function writeFolder(path: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  const draft = `${path}.draft`
  await rm(draft, { recursive: true, force: true })
  await rm(path, { recursive: true, force: true })
  await mkdir(draft, { mode: 0o700 })
  for (const [name, content] of files) await writeNew(join(draft, name), content)
  await syncFolder(draft)
  await moveFile(draft, path)
}

/** Points a symlink elsewhere, atomically even in a power cut; the change is on the disk when it returns. */
export async function pointTo(path: string, target: string): Promise<void> {
  const draft = `${path}.draft`
  await rm(draft, { force: true })
  await symlink(target, draft)
  await moveFile(draft, path)
}

/** The target of a symlink; null where there is none. */
export async function targetOf(path: string): Promise<string | null> {
  try {
    return await readlink(path)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** Removes a file or link, so that a power cut does not bring it back. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true })
  await syncFolder(dirname(path))
}

/** New entries of a folder survive a power cut once the folder is on the disk. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Whether an error says that a file does not exist. */
export const isMissing = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code))
