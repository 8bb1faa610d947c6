import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createOnServer, type Engine } from '../../test/support/database.ts'
import { startPostgres } from '../../test/support/postgres.ts'

/** Fresh databases of an engine, and folders, for the duration of a run. */
export interface Databases {
  /** The URL of an empty database, as DATABASE_URL takes it. */
  create(): Promise<string>
  /** An empty folder. */
  folder(): Promise<string>
  /** Ends the server, if there is one, and deletes everything. */
  close(): Promise<void>
}

/**
 * PostgreSQL has its default settings: commits are durable (fsync), memory as for a small machine. It runs on the core
 * of the load, since the servers have the other core to themselves.
 */
export async function openDatabases(engine: Engine): Promise<Databases> {
  const root = await mkdtemp(join(tmpdir(), 'orrery-bench-'))
  const folder = async () => {
    const path = join(root, randomBytes(6).toString('hex'))
    await mkdir(path)
    return path
  }
  const removeRoot = () => rm(root, { recursive: true, force: true })
  if (engine === 'sqlite') {
    return { create: async () => `file:${join(await folder(), 'orrery.db')}`, folder, close: removeRoot }
  }
  const server = await startPostgres({ timezone: 'UTC' })
  return {
    create: async () => (await createOnServer(server.url)).url,
    folder,
    async close() {
      await server.stop()
      await removeRoot()
    },
  }
}
