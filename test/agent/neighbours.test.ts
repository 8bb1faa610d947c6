import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { ClusterFolder } from '../../src/agent/enrollment-state.ts'
import { pointLink, writeGeneration } from '../../src/agent/nebula/generation.ts'
import { assertMachineIsFree } from '../../src/agent/nebula/neighbours.ts'
import type { Settings } from '../../src/nebula/merge.ts'
import { createNode } from '../support/world.ts'
import { Site } from './support/site.ts'

/** Makes a machine one of another cluster, `gateway` there, which has run on a configuration. */
async function runsAnother(stateDir: string, config: Settings): Promise<ClusterFolder> {
  const clusterId = randomUUID()
  const folder = new ClusterFolder(stateDir, clusterId)
  await mkdir(folder.file('versions'), { recursive: true })
  const enrollment = {
    format: 1,
    server: 'https://orrery.example.com',
    clusterId,
    nodeId: randomUUID(),
    name: 'gateway',
    networkCidr: '10.43.0.0/16',
    bundleSigningKey: '',
  } as const
  await folder.keep(enrollment, { token: 'orn_x', key: '', certificate: '' })
  await pointLink(folder, 'proven', await writeGeneration(folder, { version: 1, config, ca: '', certificate: '' }))
  return folder
}

describe('a configuration on a machine that is in another cluster', () => {
  let stateDir: string
  let other: ClusterFolder
  let own: ClusterFolder
  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
    other = await runsAnother(stateDir, { listen: { host: '192.0.2.1', port: 4242 }, tun: { dev: 'office' } })
    own = new ClusterFolder(stateDir, randomUUID())
  })
  afterAll(() => rm(stateDir, { recursive: true }))

  const device = () => `orry${other.path.slice(stateDir.length + 1, stateDir.length + 9)}`
  test.each<[string, () => Settings, RegExp]>([
    ['the port, on all addresses', () => ({ listen: { port: 4242 } }), /^listen\.port is 4242, .*as gateway \(cluster/],
    ['the port, on the same address', () => ({ listen: { host: '192.0.2.1', port: 4242 } }), /^listen\.port is 4242/],
    ['the device', () => ({ tun: { dev: 'office' } }), /^tun\.dev is office, .*as gateway \(cluster .* a device each/],
  ])('is refused when it wants what that one has: %s', async (_what, config, message) => {
    await expect(assertMachineIsFree(own, config())).rejects.toThrow(message)
  })

  test.each<[string, () => Settings]>([
    ['another port', () => ({ listen: { port: 4243 } })],
    ['any port', () => ({ listen: { port: 0 } })],
    ['the port of another address', () => ({ listen: { host: '192.0.2.2', port: 4242 } })],
    ['its own device', () => ({})],
    ['no device at all', () => ({ tun: { dev: 'office', disabled: true } })],
    ['the device that the other would have without a name', () => ({ tun: { dev: device() } })],
  ])('may have %s', async (_what, config) => {
    await expect(assertMachineIsFree(own, config())).resolves.toBeUndefined()
  })

  test('is not measured by what the cluster itself runs', async () => {
    await expect(
      assertMachineIsFree(other, { listen: { port: 4242 }, tun: { dev: 'office' } }),
    ).resolves.toBeUndefined()
  })
})

describe('the enrollment of a lighthouse', () => {
  let site: Site
  beforeAll(async () => {
    site = await Site.open()
    await runsAnother(site.stateDir, { listen: { port: 4299 } })
  })
  afterAll(() => site.close())

  const announce = (name: string, lighthousePort: number) =>
    createNode(site.app, site.world.admin, {
      clusterId: site.world.clusterId,
      name,
      isLighthouse: true,
      lighthousePublicIp: '192.0.2.1',
      lighthousePort,
    })

  test('is refused on a port that the machine uses for another cluster, before anything is made', async () => {
    const { id, token } = await announce('tower', 4299)
    await expect(site.enroll({ token })).rejects.toThrow(/lighthouse on UDP port 4299, .*as gateway \(cluster/)
    expect((await site.node(id)).publicKey).toBeNull()
    const { enrollment } = await site.enroll({ token: (await announce('other-tower', 4300)).token })
    expect(enrollment.name).toBe('other-tower')
  })
})
