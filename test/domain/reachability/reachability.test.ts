import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { certify } from '../../support/certified.ts'
import { engines } from '../../support/database.ts'
import { mutate, publishVersion } from '../../support/mutate.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const query = `query ($id: UUID!, $from: UUID!, $to: UUID!, $address: IP, $protocol: PacketProtocol!, $port: Port) {
  cluster(id: $id) {
    reachability(from: $from, to: $to, address: $address, protocol: $protocol, port: $port) {
      isReachable version relays obstacles { code nodeId message }
      outboundRule { port proto host } inboundRule { port proto host group groups }
    }
  }
}`

interface Shown {
  readonly isReachable: boolean
  readonly version: number | null
  readonly relays: readonly string[]
  readonly obstacles: readonly { readonly code: string; readonly nodeId: string; readonly message: string }[]
  readonly outboundRule: object | null
  readonly inboundRule: object | null
}

interface Asked {
  readonly from?: string
  readonly to?: string
  readonly address?: string
  readonly protocol?: string
  readonly port?: number | null
}

describe.each(engines)('whether one node reaches another, on %s', (engine) => {
  let app: TestApp
  let world: World
  let web: { id: string; token: string }
  let db: { id: string; token: string }

  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'reached', randomUUID())
    const { clusterId, admin } = world
    // The world's bundle is not one.
    await app.database.client.configBundle.deleteMany({ where: { clusterId } })
    const tower = await createNode(app, admin, {
      clusterId,
      name: 'tower',
      isLighthouse: true,
      lighthousePublicIp: '203.0.113.1',
    })
    web = await createNode(app, admin, { clusterId, name: 'web', groups: ['web'] })
    db = await createNode(app, admin, { clusterId, name: 'db', groups: ['db'], routes: ['10.77.0.0/24'] })
    for (const { token } of [tower, web, db]) await certify(app, token)
    await setFirewall({ port: '5432', proto: 'TCP', groups: ['app'] }, { port: 'any', proto: 'ICMP', host: 'any' })
  })
  afterAll(() => app.close())

  async function setFirewall(...inbound: object[]): Promise<number> {
    const firewall = { inbound, outbound: [{ port: 'any', proto: 'ANY', host: 'any' }] }
    await mutate(app, world.admin, 'updateClusterFirewall', { clusterId: world.clusterId, firewall })
    return publishVersion(app, world.admin, world.clusterId)
  }

  const asking = ({ from = web.id, to = db.id, protocol = 'TCP', port = 5432, ...rest }: Asked = {}) => ({
    ...{ id: world.clusterId, from, to, protocol, port },
    ...rest,
  })
  const ask = async (token: string, asked?: Asked) => {
    const { cluster } = await app.ask<{ cluster: { reachability: Shown | null } | null }>(token, query, asking(asked))
    return cluster?.reachability ?? null
  }
  const codeOf = async (token: string, asked?: Asked) =>
    (await app.answer(token, query, asking(asked))).errors?.[0]?.extensions?.code

  test('the published firewall is what counts, and each thing in the way is named', async () => {
    const before = await ask(world.viewer)
    expect(before).toMatchObject({
      isReachable: false,
      inboundRule: null,
      outboundRule: { port: 'any', proto: 'ANY', host: 'any' },
      obstacles: [
        { code: 'NO_INBOUND_RULE', nodeId: db.id, message: 'no inbound rule on db for web (web), port 5432/tcp' },
      ],
    })
    const version = await setFirewall({ port: '5000-6000', proto: 'TCP', group: 'web' })
    expect(await ask(world.viewer)).toEqual({
      isReachable: true,
      version,
      relays: [],
      obstacles: [],
      outboundRule: { port: 'any', proto: 'ANY', host: 'any' },
      inboundRule: { port: '5000-6000', proto: 'TCP', host: null, group: 'web', groups: null },
    })
    expect(await ask(world.viewer, { from: db.id, to: web.id })).toMatchObject({ isReachable: false })
    await mutate(app, world.admin, 'updateNodeGroups', { nodeId: web.id, groups: [] })
    expect(await ask(world.viewer)).toMatchObject({ isReachable: true, version })
    await app.publish()
    expect(await ask(world.viewer)).toMatchObject({ isReachable: false, obstacles: [{ code: 'NO_INBOUND_RULE' }] })
  })

  test('an address behind the receiver needs its route', async () => {
    await setFirewall({ port: 'any', proto: 'ANY', host: 'any' })
    expect(await ask(world.viewer, { address: '10.77.0.9' })).toMatchObject({ isReachable: true })
    expect(await ask(world.viewer, { address: '10.78.0.9' })).toMatchObject({
      isReachable: false,
      obstacles: [
        { code: 'NOT_BEHIND', nodeId: db.id },
        { code: 'NO_ROUTE', nodeId: web.id },
      ],
    })
  })

  test('a node that no machine has taken yet is in no version', async () => {
    const { id } = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'new' })
    expect(await ask(world.viewer, { to: id })).toMatchObject({
      isReachable: false,
      obstacles: [
        { code: 'NOT_PUBLISHED', nodeId: id, message: expect.stringContaining('new is not in version') as unknown },
      ],
    })
  })

  test('a node of another cluster, of another tenant and of none look alike', async () => {
    const other = await createWorld(app, 'other', randomUUID())
    expect(await ask(world.admin, { to: other.nodeId })).toBeNull()
    expect(await ask(app.operator, { to: other.nodeId })).toBeNull()
    expect(await ask(world.admin, { to: randomUUID() })).toBeNull()
    expect(await ask(other.admin)).toBeNull()
  })

  test('nodes that are not admins may not ask', async () => {
    expect(await codeOf(web.token)).toBe('FORBIDDEN')
    expect(await codeOf(world.adminNodeToken)).toBeUndefined()
  })

  test('a question without an answer is refused', async () => {
    for (const asked of [{ port: null }, { protocol: 'ICMP', port: 80 }]) {
      expect(await codeOf(world.admin, asked)).toBe('BAD_USER_INPUT')
    }
    expect(await ask(world.admin, { protocol: 'ICMP', port: null })).toMatchObject({ isReachable: true })
    expect(await ask(world.admin, { to: web.id })).toMatchObject({ isReachable: true, inboundRule: null })
  })
})
