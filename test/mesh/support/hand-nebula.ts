import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { deepMerge, type Settings } from '../../../src/nebula/merge.ts'
import { markedTimeout, reloadEnds } from '../../../src/nebula/reload-signs.ts'
import type { CertificateAuthority } from '../../../src/pki/ca.ts'
import { generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { signNode } from '../../../src/pki/sign.ts'
import type { Lab, Machine, Running } from './lab.ts'
import { eventually } from './pings.ts'

/** A line of Nebula's log. */
export interface Line {
  readonly level: string
  readonly msg: string
  readonly [field: string]: unknown
}

/** The files of a Nebula that a test runs by hand. */
export interface Files {
  readonly settings: Settings
  readonly certificate: string
  /** PEM of the trusted CAs. */
  readonly ca: string
}

/** A Nebula without an agent: the test writes its files and sends its signals. */
export class HandNebula {
  readonly machine: Machine
  readonly overlayIp: string
  readonly #key = generateNodeKeyPair()
  readonly #folder: string
  readonly #program: string
  #running: Running | null = null
  #lines: Line[] = []
  #written = 0
  #started = ''

  constructor(lab: Lab, machine: Machine, overlayIp: string, program: string) {
    this.machine = machine
    this.overlayIp = overlayIp
    this.#folder = join(lab.folder, `hand-${machine.name}`)
    this.#program = program
  }

  /** A certificate for this machine's key. */
  certificate(
    ca: CertificateAuthority,
    fields: { groups?: string[]; unsafeNetworks?: string[]; notAfter?: Date } = {},
  ) {
    const { notBefore, notAfter } = ca.certificate
    return signNode(ca, {
      version: 1,
      name: this.machine.name,
      networks: [`${this.overlayIp}/24`],
      unsafeNetworks: [],
      groups: [],
      notBefore,
      notAfter,
      publicKey: this.#key.publicKey,
      ...fields,
    })
  }

  async write({ settings, certificate, ca }: Files): Promise<void> {
    const file = (name: string) => join(this.#folder, name)
    await mkdir(this.#folder, { recursive: true })
    await writeFile(file('host.key'), this.#key.privateKeyPem, { mode: 0o600 })
    await writeFile(file('host.crt'), certificate)
    await writeFile(file('ca.crt'), ca)
    this.#written += 1
    const own = {
      pki: { ca: file('ca.crt'), cert: file('host.crt'), key: file('host.key') },
      // As the agent marks each generation of its files.
      firewall: { conntrack: { default_timeout: markedTimeout(null, { version: 1, number: this.#written }) } },
    }
    await writeFile(file('config.yml'), JSON.stringify(deepMerge(settings, own)))
  }

  /** Starts it; a process that runs with exactly these files, and was not reloaded since, continues. */
  async start(files: Files): Promise<void> {
    const text = JSON.stringify(files)
    if (this.#running !== null && text === this.#started) return
    await this.stop()
    await this.write(files)
    this.#started = text
    this.#lines = []
    const running = this.machine.start([this.#program, '-config', join(this.#folder, 'config.yml')])
    this.#running = running
    const { stdout, stderr } = running.child
    for (const stream of [stdout, stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (text) => this.#lines.push(lineOf(text)))
    }
    const up = () => Promise.resolve(this.#lines.some(({ msg }) => msg === 'Nebula interface is active'))
    await eventually(`${this.machine.name}: Nebula is up`, up, 20)
  }

  /**
   * Gives it other files and sends SIGHUP; returns whether Nebula reports within three seconds that it read them to the
   * end. Its log up to then is in `lines`.
   */
  async reload(files: Files): Promise<boolean> {
    await this.write(files)
    this.#started = ''
    this.#lines = []
    this.#running?.child.kill('SIGHUP')
    const ended = () => Promise.resolve(this.#lines.some(({ msg }) => reloadEnds.test(msg)))
    return eventually('', ended, 3).then(
      () => true,
      () => false,
    )
  }

  /** Its log since the last start or signal. */
  get lines(): readonly Line[] {
    return this.#lines
  }

  /** Ends it in order, so that its peers are told; a process whose reload hangs is killed. */
  async stop(): Promise<void> {
    const running = this.#running
    this.#running = null
    if (running === null) return
    const force = setTimeout(() => running.child.kill('SIGKILL'), 2000)
    await running.stop()
    clearTimeout(force)
  }
}

function lineOf(text: string): Line {
  try {
    return JSON.parse(text) as Line
  } catch {
    return { level: 'text', msg: text }
  }
}
