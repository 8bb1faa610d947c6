import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals'

import { packBundle } from '../../../src/domain/bundles/compile/pack.ts'
import type { NebulaBuild } from '../../support/nebula-versions.ts'
import { Lab, type Machine } from './lab.ts'
import { ControlPlane, Mesh, type Member } from './mesh.ts'
import { eventually, keepPinging, reaches } from './pings.ts'

/** The scenes' machines that run Nebula. */
export const meshMachines = ['tower', 'near', 'far', 'router', 'doomed'] as const

/**
 * The scenes of a mesh of real machines, changed by one mutation each: tests, one after the other.
 * @param builds the Nebula of each machine
 */
export function meshScenes(builds: Readonly<Record<(typeof meshMachines)[number], NebulaBuild>>): void {
  // Six machines, each with an agent, share the cores of one.
  jest.setTimeout(240_000)

  let lab: Lab | null = null
  let plane: ControlPlane
  let mesh: Mesh
  let lighthouse: Member
  let near: Member
  let far: Member
  let router: Member
  let doomed: Member
  let lan: Machine
  let passed = false

  beforeAll(async () => {
    const opened = await Lab.open()
    lab = opened
    plane = new ControlPlane(opened, await opened.machine('server'))
    await plane.start()
    mesh = await Mesh.create(opened, plane)
    const tower = await opened.machine('tower')
    lighthouse = await mesh.joinAnnounced(
      tower,
      { isLighthouse: true, lighthousePublicIp: tower.address },
      builds.tower,
    )
    near = await mesh.join(await opened.machine('near', { isolated: true }), builds.near)
    far = await mesh.join(await opened.machine('far', { isolated: true }), builds.far)
    router = await mesh.join(await opened.machine('router'), builds.router)
    doomed = await mesh.join(await opened.machine('doomed'), builds.doomed)
    lan = await opened.machineBehind(router.machine, 'printer', '10.77.0')
  })

  afterEach(() => {
    if (!passed) process.stderr.write(`${lab?.logs() ?? ''}\n`)
    passed = false
  })

  afterAll(async () => {
    await lab?.destroy()
  })

  /** A test that prints the machines' logs when it fails. */
  const story = (title: string, work: () => Promise<void>) =>
    test(title, async () => {
      await work()
      passed = true
    })

  const change = (name: string, input: object) => plane.mutate(name, input, '__typename')
  const connected = (from: Member, to: Member) => () => reaches(from.machine, to.overlayIp)

  story('machines that enrolled reach each other through the overlay', async () => {
    await eventually('router reaches doomed', connected(router, doomed))
    await eventually('near reaches the lighthouse', connected(near, lighthouse))
    await eventually('far reaches the router', connected(far, router))
  })

  story('a network behind a node becomes reachable', async () => {
    expect(await reaches(near.machine, lan.address)).toBe(false)
    await change('updateNodeRoutes', { nodeId: router.id, routes: ['10.77.0.0/24'] })
    await eventually('near reaches the printer', () => reaches(near.machine, lan.address))
  })

  story('a relay carries two nodes that cannot see each other', async () => {
    expect(await reaches(near.machine, far.machine.address)).toBe(false)
    expect(await reaches(near.machine, far.overlayIp)).toBe(false)
    await change('updateNodeRelay', { nodeId: lighthouse.id, isRelay: true })
    await eventually('near reaches far', connected(near, far))
  })

  story('an MTU arrives at the tunnel', async () => {
    expect(await near.machine.exec('ip', 'link')).not.toContain('mtu 1420')
    await change('updateNodeMtu', { nodeId: near.id, mtu: 1420 })
    await eventually('the device has it', async () => (await near.machine.exec('ip', 'link')).includes('mtu 1420'))
    await eventually('near reaches far', connected(near, far))
  })

  story('a blocked node is cut off, also where a tunnel is open; unblocked, it comes back by itself', async () => {
    await eventually('doomed reaches the router', connected(doomed, router))
    await change('blockNodes', { ids: [doomed.id] })
    await eventually('doomed does not reach the router', async () => !(await connected(doomed, router)()))
    await sleep(1000)
    expect(await reaches(doomed.machine, router.overlayIp)).toBe(false)
    expect(await reaches(doomed.machine, lighthouse.overlayIp)).toBe(false)
    expect(await reaches(router.machine, doomed.overlayIp)).toBe(false)
    await change('unblockNodes', { ids: [doomed.id] })
    await eventually('doomed reaches the router again', connected(doomed, router), 150)
    await eventually('the router reaches doomed again', connected(router, doomed))
  })

  story('a deleted node is cut off, also where a tunnel is open', async () => {
    // The router was restarted for its network: the first ping may go into the old tunnel.
    await eventually('doomed reaches the router', connected(doomed, router))
    await change('deleteNode', { nodeId: doomed.id })
    await eventually('doomed does not reach the router', async () => !(await connected(doomed, router)()))
    await sleep(1000)
    expect(await reaches(doomed.machine, router.overlayIp)).toBe(false)
    expect(await reaches(doomed.machine, lighthouse.overlayIp)).toBe(false)
    await doomed.agent.stop()
  })

  story('a configuration that does not run is taken back and reported; the old one goes on', async () => {
    const before = await mesh.node('near')
    const pings = keepPinging(router.machine, lighthouse.overlayIp)
    // No machine of the lab has this address: the check of the file cannot know that, the start does.
    const bad = await packBundle([{ path: 'config.yml', content: 'listen:\n  host: 203.0.113.77\n' }])
    const input = { clusterId: mesh.clusterId, archive: null, message: 'listens nowhere' }
    await plane.mutate('createConfigBundle', input, 'configBundle { version }', bad)
    await eventually(
      'near reports what went wrong',
      async () => typeof (await mesh.node('near'))?.lastError === 'string',
    )
    const during = await mesh.node('near')
    expect(during?.runningConfigVersion).toBe(before?.runningConfigVersion)
    await eventually('near reaches far', connected(near, far))

    const good = before?.runningConfigVersion
    await change('rollbackClusterConfig', { clusterId: mesh.clusterId, version: good })
    await eventually('near runs a newer one', async () => {
      const now = await mesh.node('near')
      return now?.lastError === null && (now.runningConfigVersion ?? 0) > (good ?? 0)
    })
    expect((await pings.end()).sent).toBeGreaterThan(5)
  })

  story('the CA is replaced without a lost ping', async () => {
    type Rotation = { caCertificate: string; caRotation: { phase: string } | null }
    const state = () => mesh.cluster<Rotation>('caCertificate caRotation { phase }')
    const before = await state()
    const pings = keepPinging(router.machine, lighthouse.overlayIp)
    await change('rotateClusterCa', { clusterId: mesh.clusterId })
    await eventually('the rotation is over', async () => (await state()).caRotation === null, 180)
    // Nebula checks every few seconds whether it still trusts the CA of the peer's certificate.
    await sleep(12_000)
    const { sent, lost } = await pings.end()
    expect({ lost, enough: sent > 50 }).toEqual({ lost: 0, enough: true })
    expect((await state()).caCertificate).not.toBe(before.caCertificate)
    await eventually('near reaches far', connected(near, far))
  })

  story('the server is killed and comes back, and no node notices', async () => {
    const pings = keepPinging(router.machine, lighthouse.overlayIp)
    await plane.kill()
    await sleep(2000)
    await eventually('near reaches far without the server', connected(near, far))
    await plane.start()
    await change('updateNodeMtu', { nodeId: near.id, mtu: 1410 })
    await eventually('the next change arrives', async () =>
      (await near.machine.exec('ip', 'link')).includes('mtu 1410'),
    )
    expect((await pings.end()).lost).toBe(0)
    for (const { agent } of [lighthouse, near, far, router]) expect(agent.child.exitCode).toBeNull()
  })
}
