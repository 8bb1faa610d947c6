import { afterAll, beforeAll } from '@jest/globals'

import type { Settings } from '../../../src/nebula/merge.ts'
import { deepMerge } from '../../../src/nebula/merge.ts'
import { createCa, type CertificateAuthority } from '../../../src/pki/ca.ts'
import { nebulaBuilds, type NebulaBuild } from '../../support/nebula-versions.ts'
import { HandNebula, type Files } from './hand-nebula.ts'
import { Lab } from './lab.ts'

const limits = { networks: [], unsafeNetworks: [], groups: [] }
const newCa = (): CertificateAuthority =>
  createCa({
    version: 1,
    name: 'by hand',
    notBefore: new Date(Date.now() - 600_000),
    notAfter: new Date(Date.now() + 86_400_000),
    ...limits,
  })

const anything = { port: 'any', proto: 'any', host: 'any' }

/** Four machines that run one version of Nebula by hand: `near` is reloaded, the others observe the effect. */
export class ReloadScene {
  readonly version: string
  readonly ca = newCa()
  readonly otherCa = newCa()
  readonly tower: HandNebula
  readonly near: HandNebula
  readonly far: HandNebula
  readonly third: HandNebula

  private constructor(build: NebulaBuild, machines: readonly HandNebula[]) {
    const [tower, near, far, third] = machines
    if (!tower || !near || !far || !third) throw new Error('a scene has four machines')
    this.version = build.version
    this.tower = tower
    this.near = near
    this.far = far
    this.third = third
  }

  static async open(lab: Lab, build: NebulaBuild): Promise<ReloadScene> {
    const mark = build.version.replaceAll('.', '')
    const names = ['tower', 'near', 'far', 'third']
    const machines: HandNebula[] = []
    for (const [index, name] of names.entries()) {
      const machine = await lab.machine(`${name}${mark}`)
      machines.push(new HandNebula(lab, machine, `10.99.0.${index + 1}`, build.nebula))
    }
    return new ReloadScene(build, machines)
  }

  /** Both CAs. */
  get bothCas(): string {
    return this.ca.certificate.pem + this.otherCa.certificate.pem
  }

  /** The files of a machine, unless a case says otherwise. */
  filesOf(machine: HandNebula, settings: Settings = {}, files: Partial<Omit<Files, 'settings'>> = {}): Files {
    const isTower = machine === this.tower
    const base: Settings = {
      pki: { disconnect_invalid: true },
      lighthouse: { am_lighthouse: isTower, hosts: isTower ? [] : [this.tower.overlayIp], interval: 1 },
      static_host_map: isTower ? {} : { [this.tower.overlayIp]: [`${this.tower.machine.address}:4242`] },
      listen: { host: '0.0.0.0', port: 4242 },
      tun: { dev: 'overlay', mtu: 1300 },
      relay: { use_relays: true },
      firewall: { inbound: [anything], outbound: [anything], default_local_cidr_any: true },
      logging: { level: 'info', format: 'json' },
    }
    return {
      settings: deepMerge(base, settings),
      certificate: files.certificate ?? machine.certificate(this.ca).pem,
      ca: files.ca ?? this.ca.certificate.pem,
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.tower, this.near, this.far, this.third].map((one) => one.stop()))
  }
}

/** For a suite: a scene for each version of Nebula that is installed, in one lab. The list is filled before the tests. */
export function scenesOfAllVersions(): readonly ReloadScene[] {
  const scenes: ReloadScene[] = []
  let lab: Lab | null = null
  beforeAll(async () => {
    lab = await Lab.open()
    for (const build of nebulaBuilds()) scenes.push(await ReloadScene.open(lab, build))
  })
  afterAll(async () => {
    await lab?.destroy()
  })
  return scenes
}
