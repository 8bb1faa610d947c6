import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Runs `ip …`; its complaints become the error's message. */
const ip = async (...args: string[]): Promise<string> => (await run('ip', args)).stdout

/** A program that was started in the lab and still runs, with all its output. */
export interface Running {
  readonly child: ChildProcess
  readonly output: () => string
  /** Ends it and waits for its exit. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
}

/** One machine: a network namespace with a cable to the lab's switch. */
export interface Machine {
  readonly name: string
  /** Its address in the underlay. */
  readonly address: string
  /** Runs a command on the machine and waits; rejects with its output when it fails. */
  readonly exec: (...command: string[]) => Promise<string>
  readonly start: (command: readonly string[], environment?: Record<string, string>) => Running
}

/**
 * A network on one computer: namespaces as machines, joined by a switch in a namespace of its own. This process has a
 * cable too. Needs root and iproute2. `destroy` removes all of it, even after failed tests.
 */
export class Lab {
  readonly #id = process.pid.toString(36)
  /** A network for tests of networks (RFC 2544); one per lab, so that two labs at once do not collide. */
  readonly #network = `198.18.${process.pid % 250}`
  readonly #machines = new Map<string, Machine>()
  readonly #namespaces: string[] = []
  readonly #running = new Set<Running>()
  #next = 1

  /** A folder for the machines' files, deleted with the lab. */
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async open(): Promise<Lab> {
    const lab = new Lab(await mkdtemp(join(tmpdir(), 'orrery-mesh-')))
    const hub = await lab.#namespace('hub')
    await ip('-n', hub, 'link', 'add', 'switch', 'type', 'bridge')
    await ip('-n', hub, 'link', 'set', 'switch', 'up')
    await ip('link', 'add', lab.#cable, 'type', 'veth', 'peer', 'name', 'observer', 'netns', hub)
    await ip('-n', hub, 'link', 'set', 'observer', 'master', 'switch', 'up')
    await ip('addr', 'add', `${lab.#network}.254/24`, 'dev', lab.#cable)
    await ip('link', 'set', lab.#cable, 'up')
    return lab
  }

  /** Adds a machine; its name has at most 10 characters. `isolated` machines reach only those that are not isolated. */
  async machine(name: string, { isolated = false } = {}): Promise<Machine> {
    const namespace = await this.#namespace(name)
    const hub = this.#name('hub')
    const address = `${this.#network}.${this.#next++}`
    await ip('-n', namespace, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `to-${name}`, 'netns', hub)
    await ip('-n', hub, 'link', 'set', 'dev', `to-${name}`, 'master', 'switch', 'up')
    if (isolated)
      await run('ip', ['netns', 'exec', hub, 'bridge', 'link', 'set', 'dev', `to-${name}`, 'isolated', 'on'])
    await ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
    await ip('-n', namespace, 'link', 'set', 'eth0', 'up')
    return this.#machine(name, address)
  }

  /** Adds a machine behind a router of the lab: with a `network` such as `10.77.0`, the router is its .1. */
  async machineBehind(router: Machine, name: string, network: string): Promise<Machine> {
    const namespace = await this.#namespace(name)
    await ip(
      '-n',
      namespace,
      'link',
      'add',
      'eth0',
      'type',
      'veth',
      'peer',
      'name',
      'lan',
      'netns',
      this.#name(router.name),
    )
    await router.exec('ip', 'addr', 'add', `${network}.1/24`, 'dev', 'lan')
    await router.exec('ip', 'link', 'set', 'lan', 'up')
    await router.exec('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
    await ip('-n', namespace, 'addr', 'add', `${network}.2/24`, 'dev', 'eth0')
    await ip('-n', namespace, 'link', 'set', 'eth0', 'up')
    await ip('-n', namespace, 'route', 'add', 'default', 'via', `${network}.1`)
    return this.#machine(name, `${network}.2`)
  }

  /** The output of all programs that still run, for the report of a failed test. */
  logs(): string {
    return [...this.#running].map(({ output }) => output().slice(-4000)).join('\n')
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#running].map((one) => one.stop('SIGKILL')))
    for (const namespace of this.#namespaces) {
      for (const pid of (await ip('netns', 'pids', namespace)).split('\n')) {
        if (pid !== '') process.kill(Number(pid), 'SIGKILL')
      }
      await ip('netns', 'del', namespace)
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Interface names have at most 15 characters. */
  get #cable(): string {
    return `orry${this.#id}`.slice(0, 15)
  }

  #name(name: string): string {
    return `orrery-${this.#id}-${name}`
  }

  async #namespace(name: string): Promise<string> {
    const namespace = this.#name(name)
    await ip('netns', 'add', namespace)
    this.#namespaces.push(namespace)
    await ip('-n', namespace, 'link', 'set', 'lo', 'up')
    return namespace
  }

  #machine(name: string, address: string): Machine {
    const enter = ['netns', 'exec', this.#name(name)]
    const machine: Machine = {
      name,
      address,
      exec: (...command) => ip(...enter, ...command),
      start: (command, environment = {}) => this.#start(name, [...enter, ...command], environment),
    }
    this.#machines.set(name, machine)
    return machine
  }

  #start(name: string, args: readonly string[], environment: Record<string, string>): Running {
    // eslint-disable-next-line no-restricted-properties -- the programs are found where the test runner finds them
    const path = process.env['PATH']
    const child = spawn('ip', args, {
      env: { PATH: path, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let written = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        written = (written + text).slice(-100_000)
      })
    }
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => {
        resolve()
      })
    })
    const running: Running = {
      child,
      output: () => `── ${name}: ${args.slice(3).join(' ')}\n${written}`,
      stop: async (signal = 'SIGTERM') => {
        // `ip netns exec` becomes the command, so the signal reaches it.
        child.kill(signal)
        await ended
        this.#running.delete(running)
      },
    }
    this.#running.add(running)
    return running
  }
}
