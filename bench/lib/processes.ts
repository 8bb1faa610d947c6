import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { freePort } from '../../test/support/free-port.ts'

/** A process's usage since its start. */
export interface Usage {
  /** Microseconds, user and system. */
  readonly cpu: number
  /** Bytes. */
  readonly rss: number
  readonly heapUsed: number
}

/** A measured server: a process of its own. */
export interface ServerProcess {
  readonly port: number
  /** The server's process, which taskset became. */
  readonly pid: number | undefined
  /** From its start to its first answer, in milliseconds. */
  readonly startedIn: number
  usage(): Promise<Usage>
  /** Sends a message to the server. */
  send(message: object | 'collect'): void
  stop(): Promise<void>
}

interface ServerOptions {
  /** The arguments of node, given the port that the server has to listen on. */
  readonly args: (port: number) => readonly string[]
  readonly environment?: (port: number) => Record<string, string>
  /** A path that answers as soon as the server is ready. */
  readonly readyPath: string
}

const folder = fileURLToPath(new URL('./', import.meta.url))
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** The servers' core, and the core of everything else (load, PostgreSQL); null where processes cannot be pinned. */
export const cores: { readonly server: number; readonly load: number } | null = findCores()

function findCores() {
  if (process.platform !== 'linux' || spawnSync('taskset', ['--version']).status !== 0) return null
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  const allowed = list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
  })
  const [server, load] = allowed
  return server === undefined || load === undefined ? null : { server, load }
}

/** Builds Orrery as it is installed. */
export function buildProgram(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error('The program could not be built.')
}

/** Keeps this process, and by default its children, on the core of the load. */
export function stayOnLoadCore(): void {
  if (cores) spawnSync('taskset', ['-a', '-c', '-p', String(cores.load), String(process.pid)])
}

/** Starts a server on the servers' core and waits for its first answer. */
export async function startServer({ args, environment, readyPath }: ServerOptions): Promise<ServerProcess> {
  const port = await freePort()
  const command = [process.execPath, '--import', `${folder}probe.mjs`, ...args(port)]
  const [program = '', ...rest] = cores ? ['taskset', '-c', String(cores.server), ...command] : command
  const start = performance.now()
  const child = spawn(program, rest, {
    cwd: root,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', TZ: 'UTC', ...environment?.(port) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaints = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000)
  })
  while (!(await answers(port, readyPath))) {
    if (child.exitCode !== null) throw new Error(`${command.join(' ')}\nended with ${child.exitCode}:\n${complaints}`)
    if (performance.now() - start > 60_000) {
      child.kill('SIGKILL')
      throw new Error(`${command.join(' ')}\ndid not answer within a minute:\n${complaints}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return {
    port,
    pid: child.pid,
    startedIn: performance.now() - start,
    usage: () => usageOf(child, () => complaints),
    send: (message) => void child.send(message),
    stop: () => stop(child),
  }
}

function usageOf(child: ChildProcess, complaints: () => string): Promise<Usage> {
  return new Promise((resolve, reject) => {
    const onEnd = () => reject(new Error(`a measured server ended:\n${complaints()}`))
    const onMessage = (message: unknown) => {
      if (typeof message !== 'object' || message === null || !('usage' in message)) return
      child.off('message', onMessage).off('exit', onEnd)
      resolve(message.usage as Usage)
    }
    child.on('message', onMessage).once('exit', onEnd)
    if (child.exitCode === null) child.send('usage')
    else onEnd()
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const deadline = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await ended
  clearTimeout(deadline)
}

async function answers(port: number, path: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    await response.arrayBuffer()
    return response.status < 500
  } catch {
    // No process listens yet.
    return false
  }
}
