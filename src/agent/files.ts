import { mkdir, open, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Writes a file so that it is on the disk, whole, or not there: into a draft first, which then takes its place. */
export async function writeWhole(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const draft = `${path}.draft`
  await rm(draft, { force: true })
  await writeNew(draft, content, mode)
  await rename(draft, path)
  await syncFolder(dirname(path))
}

/** Writes a file that is not there yet, and waits until it is on the disk. */
export async function writeNew(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const handle = await open(path, 'wx', mode)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder of new files appear at once, or not at all. */
export async function writeFolder(path: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  const draft = `${path}.draft`
  await rm(draft, { recursive: true, force: true })
  await rm(path, { recursive: true, force: true })
  await mkdir(draft, { mode: 0o700 })
  for (const [name, content] of files) {
    const target = join(draft, name)
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    await writeNew(target, content)
  }
  await syncFolder(draft)
  await rename(draft, path)
  await syncFolder(dirname(path))
}

/** Points a symlink elsewhere, in one step. */
export async function pointTo(link: string, target: string): Promise<void> {
  const draft = `${link}.draft`
  await rm(draft, { force: true })
  await symlink(target, draft)
  await rename(draft, link)
  await syncFolder(dirname(link))
}

/** What was created in a folder survives a power cut once the folder is on the disk. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Whether an error says that a file is not there. */
export const isMissing = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code))
