import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { sharedConfig } from '../../../src/domain/bundles/compile/shared-config.ts'
import type { Firewall } from '../../../src/domain/clusters/firewall.ts'
import type { Settings } from '../../../src/nebula/merge.ts'
import { machineOf, type Machine as NebulaMachine } from '../../../src/nebula/reachability/machine.ts'
import { parseSettings } from '../../../src/nebula/settings-text.ts'
import { createCa, type CertificateAuthority } from '../../../src/pki/ca.ts'
import { generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { signNode } from '../../../src/pki/sign.ts'
import type { NebulaBuild } from '../../support/nebula-versions.ts'
import type { Lab, Machine, Running } from './lab.ts'
import { eventually } from './pings.ts'

const probe = resolve(import.meta.dirname, 'probe.mjs')

/** A port that is open to all: its answer comes last and shows that the other ports do not answer. */
export const control = 19_999

/** Who is on the lab's machines: another CA signed `dan` than the other people. */
export const people = {
  guarded: { groups: [], ca: 'first' },
  ann: { groups: ['ops'], ca: 'first' },
  ben: { groups: ['ops', 'lab'], ca: 'first' },
  cat: { groups: [], ca: 'first' },
  dan: { groups: ['ops'], ca: 'second' },
} as const
export type Person = keyof typeof people
export const askers = ['ann', 'ben', 'cat', 'dan'] as const satisfies readonly Person[]

const names = Object.keys(people) as Person[]
export type Machines = Readonly<Record<Person, Machine>>
const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) }
const caOf = (name: string): CertificateAuthority =>
  createCa({
    version: 1,
    name,
    networks: [],
    unsafeNetworks: [],
    groups: [],
    ...validity,
    notAfter: new Date(Date.now() + 7_200_000),
  })

/** The lab's two CAs. */
export const cas = { first: caOf('first'), second: caOf('second') }

const bothCas = cas.first.certificate.pem + cas.second.certificate.pem

/** Which ports of an address answered, by protocol; `large` are fragmented datagrams, where they were sent. */
export interface Answers {
  readonly udp: readonly number[]
  readonly tcp: readonly number[]
  readonly large: readonly number[]
}

const everybody = { port: 'any', proto: 'any', host: 'any' } as const
export const openFirewall: Firewall = { inbound: [everybody], outbound: [everybody] }

/** The firewall section as it is compiled for a cluster with these rules. */
export function compiledFirewall(firewall: Firewall): Settings {
  const input = {
    certificateVersion: 1,
    lighthousePort: 4242,
    blocklist: [],
    cas: [],
    shared: null,
    nodes: [],
  } as const
  const { firewall: section } = parseSettings(sharedConfig({ ...input, firewall }, []).text) as { firewall: Settings }
  return section
}

/** Makes machines answer on ports, at their addresses in the overlays of all versions. */
export async function answerOn(
  labs: readonly FirewallLab[],
  machines: Machines,
  person: Person,
  ports: readonly number[],
): Promise<void> {
  const addresses = labs.flatMap((lab) => [lab.address(person), ...(person === 'guarded' ? [lab.behind.address] : [])])
  const list = [...ports, control].join(',')
  const running = machines[person].start([process.execPath, probe, 'answer', addresses.join(','), list])
  await eventually(`${person} answers: ${running.output()}`, () => Promise.resolve(running.output().includes('ready')))
}

/** One address to probe. */
interface Question {
  readonly address: string
  readonly ports: readonly number[]
  /** What has to answer. */
  readonly open: Partial<Answers>
}

const protocols = ['udp', 'tcp', 'large'] as const

const both = (a: Answers, b: Answers): Answers => ({
  udp: [...new Set([...a.udp, ...b.udp])],
  tcp: [...new Set([...a.tcp, ...b.tcp])],
  large: [...new Set([...a.large, ...b.large])],
})

const includesAll = (answers: Answers | undefined, open: Partial<Answers>): boolean =>
  protocols.every((protocol) => open[protocol]?.every((port) => answers?.[protocol].includes(port)) ?? true)

/** One version of Nebula on all machines of a lab, which several versions share: each has its own network. */
export class FirewallLab {
  readonly build: NebulaBuild
  readonly #lab: Lab
  readonly #machines: Machines
  readonly #index: number
  readonly #nebulas = new Map<Person, Running>()
  readonly #certificates = new Map<Person, string>()

  constructor(lab: Lab, machines: Machines, build: NebulaBuild, index: number) {
    this.build = build
    this.#lab = lab
    this.#machines = machines
    this.#index = index
  }

  /** In the overlay; above 128, so that a rule for the lower half of all addresses matches no machine. */
  address(person: Person): string {
    return `192.168.${60 + this.#index}.${names.indexOf(person) + 1}`
  }

  /** The overlay's network. */
  get network(): string {
    return `192.168.${60 + this.#index}.0/24`
  }

  /** The network behind the guarded machine, and its address in it. */
  get behind() {
    return { network: `10.9.${60 + this.#index}.0/24`, address: `10.9.${60 + this.#index}.1` }
  }

  async start(): Promise<void> {
    const { guarded } = this.#machines
    await guarded.exec('ip', 'address', 'add', `${this.behind.address}/32`, 'dev', 'lo')
    await Promise.all(names.map(async (person) => this.#start(person)))
  }

  /** Gives the guarded machine another firewall, by SIGHUP. */
  async protect(firewall: Settings): Promise<void> {
    const nebula = this.#nebulas.get('guarded')
    if (!nebula) throw new Error('start the lab first')
    const loaded = () => nebula.output().split('New firewall has been installed').length
    const before = loaded()
    await this.#write('guarded', firewall)
    nebula.child.kill('SIGHUP')
    await eventually('the firewall is read again', () => Promise.resolve(loaded() > before))
  }

  /** Probes the same ports of several addresses, at most four times, until the expected ones answer. */
  async ask(person: Person, questions: readonly Question[], { large = false } = {}): Promise<readonly Answers[]> {
    const ports = [...new Set(questions.flatMap((question) => question.ports))]
    const to = questions.map(({ address }) => address).join(',')
    const command = [process.execPath, probe, 'ask', to, ports.join(','), String(control), ...(large ? ['large'] : [])]
    let found = questions.map((): Answers => ({ udp: [], tcp: [], large: [] }))
    for (let turn = 0; turn < 4; turn += 1) {
      const answers = JSON.parse(await this.#machines[person].exec(...command)) as readonly Answers[]
      found = found.map((before, index) => both(before, answers[index] ?? before))
      // A packet may be lost on a busy machine; none is let through by chance.
      if (questions.every(({ open }, index) => includesAll(found[index], open))) break
    }
    return found
  }

  /** Whether `nebula -test` accepts a firewall. */
  async accepts(firewall: Settings): Promise<boolean> {
    const file = await this.#write('guarded', firewall, 'tried.yml')
    return this.#machines.guarded.exec(this.build.nebula, '-test', '-config', file).then(
      () => true,
      () => false,
    )
  }

  /** Whether a connection to a closed port is refused explicitly, and not just left without an answer. */
  async refuses(person: Person, address: string, port: number): Promise<boolean> {
    const knock = `timeout 3 bash -c '</dev/tcp/${address}/${port}' 2>&1; true`
    return (await this.#machines[person].exec('bash', '-c', knock)).includes('refused')
  }

  /** Whether one of three pings is answered. */
  pings(person: Person, address: string): Promise<boolean> {
    return this.#machines[person].exec('ping', '-c', '3', '-i', '0.2', '-W', '1', address).then(
      () => true,
      () => false,
    )
  }

  #folder(person: Person): string {
    return join(this.#lab.folder, this.build.version, person)
  }

  async #start(person: Person): Promise<void> {
    const folder = this.#folder(person)
    await mkdir(folder, { recursive: true })
    const { publicKey, privateKeyPem } = generateNodeKeyPair()
    const { groups, ca } = people[person]
    const unsafeNetworks = person === 'guarded' ? [this.behind.network] : []
    const networks = [`${this.address(person)}/24`]
    const fields = { version: 1, name: person, networks, unsafeNetworks, groups, publicKey, ...validity } as const
    const { pem } = signNode(cas[ca], fields)
    this.#certificates.set(person, pem)
    await writeFile(join(folder, 'host.crt'), pem)
    await writeFile(join(folder, 'host.key'), privateKeyPem)
    await writeFile(join(folder, 'ca.crt'), bothCas)
    await this.#write(person, compiledFirewall(openFirewall))
    const nebula = this.#machines[person].start([this.build.nebula, '-config', join(folder, 'config.yml')])
    this.#nebulas.set(person, nebula)
    await eventually(`${person} is up: ${nebula.output()}`, () =>
      Promise.resolve(nebula.output().includes('Nebula interface is active')),
    )
  }

  /** A machine with a firewall, as `decideReachability` takes it. */
  machine(person: Person, firewall: Settings): NebulaMachine {
    const certificate = this.#certificates.get(person) ?? ''
    return machineOf(person, this.build.version, { config: this.#config(person, firewall), ca: bothCas, certificate })
  }

  async #write(person: Person, firewall: Settings, name = 'config.yml'): Promise<string> {
    await writeFile(join(this.#folder(person), name), JSON.stringify(this.#config(person, firewall)))
    return join(this.#folder(person), name)
  }

  #config(person: Person, firewall: Settings): Settings {
    const folder = this.#folder(person)
    const file = (one: string) => join(folder, one)
    const map = names.map((one) => [this.address(one), [`${this.#machines[one].address}:${this.#port}`]])
    const routed = person === 'guarded' ? [] : [{ route: this.behind.network, via: this.address('guarded') }]
    return {
      pki: { ca: file('ca.crt'), cert: file('host.crt'), key: file('host.key') },
      static_host_map: Object.fromEntries(map) as Settings,
      lighthouse: { am_lighthouse: false, hosts: [] },
      listen: { host: '0.0.0.0', port: this.#port },
      tun: { dev: `nebula${this.#index}`, unsafe_routes: routed },
      logging: { format: 'json', level: 'info' },
      firewall,
    }
  }

  get #port(): number {
    return 4242 + this.#index
  }
}
