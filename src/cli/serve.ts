import { basename, relative } from 'node:path'

import type { Command } from 'commander'

import { type Config, readConfig } from '../config.ts'
import type { DemoCredential } from './demo/fill.ts'
import { demoText, firstSteps } from './greeting.ts'
import { signInLink } from './sign-in.ts'
import { UsageError } from './usage-error.ts'

/** `orrery serve`: the server, until it is told to stop. */
export function addServeCommand(program: Command): void {
  program
    .command('serve', { isDefault: true })
    .description('run the server (Ctrl-C or SIGTERM stops it cleanly)')
    .option('--demo', 'fill an empty database with a sample and print credentials for every kind of caller', false)
    .action(async ({ demo }: { demo: boolean }) => serve(readConfig(), demo))
}

async function serve(config: Config, demo: boolean): Promise<void> {
  const loopback = ['127.0.0.1', '::1', 'localhost'].includes(config.host)
  if (demo && !loopback) {
    throw new UsageError(
      '--demo prints credentials, so it listens on this machine only: leave ORRERY_HOST at 127.0.0.1.',
    )
  }
  // Loaded here, so that an agent, which is the same program, does not load a server into memory.
  const { startServer } = await import('../main.ts')
  const credentials: DemoCredential[] = []
  const server = await startServer(config, {
    beforeListening: async (dependencies) => {
      if (!demo) return
      const { fillDemo } = await import('./demo/fill.ts')
      credentials.push(...(await fillDemo(dependencies)))
    },
  }).catch((error: unknown) => {
    throw addressProblem(error, config) ?? error
  })
  // A link is for the person at this terminal; a journal or a file would keep it.
  const link = process.stdout.isTTY
    ? signInLink(config.publicUrl ?? server.url, await server.signIns.makeLink('first-start'))
    : null
  console.log(firstSteps(server.url, link, ownName()))
  if (demo) console.log(demoText(credentials))
  await stopSignal()
  console.log('Stopping …')
  await server.stop()
  console.log('Stopped.')
}

/** For how long a second signal counts as the same one: npm forwards what the terminal has already sent. */
const sameKeystroke = 1000

/** The first SIGINT or SIGTERM asks for an orderly end; a later one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let askedAt: number | null = null
    const stop = () => {
      if (askedAt !== null && performance.now() - askedAt > sameKeystroke) process.exit(1)
      askedAt ??= performance.now()
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}

function addressProblem(error: unknown, { host, port }: Config): UsageError | null {
  // Files that cannot be read or written fail with the same codes: only the socket's failures are about the address.
  if (!(error instanceof Error && 'code' in error && 'syscall' in error && error.syscall === 'listen')) return null
  switch (error.code) {
    case 'EADDRINUSE':
      return new UsageError(`Port ${port} on ${host} is taken: end what listens there, or set ORRERY_PORT.`)
    case 'EACCES':
      return new UsageError(
        `Listening on ${host}:${port} is not allowed to this user: set ORRERY_PORT to 1024 or above.`,
      )
    case 'EADDRNOTAVAIL':
      return new UsageError(`${host} is no address of this machine: set ORRERY_HOST.`)
    default:
      return null
  }
}

/** The program's name where it was started: `orrery` where it is installed by that name. */
function ownName(): string {
  const program = process.argv[1] ?? 'orrery'
  return basename(program) === 'orrery' ? 'orrery' : `node ${relative('', program)}`
}
