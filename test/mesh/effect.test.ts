import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals'

import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import { nebulaBuilds } from '../support/nebula-versions.ts'
import { Lab } from './support/lab.ts'
import { ControlPlane, Mesh, type Member } from './support/mesh.ts'
import { eventually, reaches } from './support/pings.ts'
import { describeMesh } from './support/requirements.ts'

jest.setTimeout(240_000)

/** The machines have no such address: Nebula ends at its start, and `nebula -test` does not see it. */
const brokenFirewall = 'listen:\n  host: 203.0.113.77\n'
const firewall = (rules: string) => `firewall:\n  inbound: ${rules}\n  outbound: ${rules}\n`
const anythingFirewall = firewall('[{port: any, proto: any, host: any}]')
const nothingFirewall = firewall('[]')

describeMesh('what an agent reports is in force, whichever Nebula it runs', () => {
  let lab: Lab | null = null
  let plane: ControlPlane
  let mesh: Mesh
  let tower: Member
  /** One machine for each version of Nebula that can be had. */
  const members: Member[] = []
  const doomed: Member[] = []
  let passed = false

  beforeAll(async () => {
    lab = await Lab.open()
    plane = new ControlPlane(lab, await lab.machine('server'))
    await plane.start()
    mesh = await Mesh.create(lab, plane)
    const machine = await lab.machine('tower')
    tower = await mesh.joinAnnounced(machine, { isLighthouse: true, lighthousePublicIp: machine.address })
    for (const build of nebulaBuilds()) {
      members.push(await mesh.join(await lab.machine(`n${build.version}`.replaceAll('.', '')), build))
    }
    for (const name of ['first', 'second']) doomed.push(await mesh.join(await lab.machine(name)))
    await allReach(tower)
  })
  afterEach(() => {
    if (!passed) process.stderr.write(`${lab?.logs() ?? ''}\n`)
    passed = false
  })
  afterAll(async () => {
    await lab?.destroy()
  })

  const story = (title: string, work: () => Promise<void>) =>
    test(title, async () => {
      await work()
      passed = true
    })
  const each = <T>(work: (member: Member) => Promise<T>) => Promise.all(members.map(work))
  const allReach = (target: Member) =>
    each(({ machine }) =>
      eventually(`${machine.name} reaches ${target.machine.name}`, () => reaches(machine, target.overlayIp)),
    )
  const upload = async (config: string): Promise<number> => {
    const archive = await packBundle([{ path: 'config.yml', content: config }])
    const input = { clusterId: mesh.clusterId, archive: null }
    const selection = 'configBundle { version }'
    const { configBundle } = await plane.mutate<{ configBundle: { version: number } }>(
      'createConfigBundle',
      input,
      selection,
      archive,
    )
    return configBundle.version
  }
  const remove = (member: Member) => plane.mutate('deleteNode', { nodeId: member.id }, '__typename')
  const node = async ({ machine }: Member) => {
    const known = await mesh.node(machine.name)
    if (known === null) throw new Error(`the control plane does not know ${machine.name}`)
    return known
  }
  const runs = (member: Member, version: number) =>
    eventually(
      `${member.machine.name} runs version ${version}`,
      async () => ((await node(member)).runningConfigVersion ?? 0) >= version,
    )
  /** Whether a machine is cut off from all; asked of both ends, since each side lets nothing of the other in. */
  const isCutOff = async (member: Member) => {
    const answers = await each(async ({ machine, overlayIp }) => [
      await reaches(machine, member.overlayIp),
      await reaches(member.machine, overlayIp),
    ])
    return !answers.flat().includes(true)
  }

  story(
    'a version that changes how often nodes announce themselves, with a firewall that lets nothing through',
    async () => {
      const closed = await upload(`lighthouse:\n  interval: 20\n${nothingFirewall}`)
      await each(async (member) => {
        await runs(member, closed)
        // Said to run: from here on nothing may pass.
        expect([member.machine.name, await reaches(member.machine, tower.overlayIp)]).toEqual([
          member.machine.name,
          false,
        ])
      })
      await upload(`lighthouse:\n  interval: 30\n${anythingFirewall}`)
      await allReach(tower)
    },
  )

  story('a node that is deleted after it is cut off, and the version that cuts it off runs', async () => {
    const [first] = doomed
    if (first === undefined) throw new Error('nobody to be deleted')
    await allReach(first)
    await remove(first)
    await eventually('the deleted machine is cut off', () => isCutOff(first), 30)
    const { configVersion } = await mesh.cluster<{ configVersion: number }>('configVersion')
    await each((member) => runs(member, configVersion))
  })

  story('a deletion is in force although the version that holds it does not run, and the report says so', async () => {
    const [, second] = doomed
    if (second === undefined) throw new Error('nobody to be deleted')
    await allReach(second)
    const before = await each(async (member) => (await node(member)).runningConfigVersion)
    const broken = await upload(brokenFirewall)
    await each((member) =>
      eventually(
        `${member.machine.name} reports that version ${broken} does not run`,
        async () => (await node(member)).lastError?.startsWith(`version ${broken}: Nebula did not start`) === true,
      ),
    )
    await allReach(second)
    await remove(second)
    await eventually('the deleted machine is cut off', () => isCutOff(second), 30)
    const revoked = /^version \d+: Nebula did not start: .*; what it revokes is in force$/
    await each((member) =>
      eventually(`${member.machine.name} reports it`, async () => revoked.test((await node(member)).lastError ?? '')),
    )
    expect(await each(async (member) => (await node(member)).runningConfigVersion)).toEqual(before)
    await allReach(tower)
  })
})
