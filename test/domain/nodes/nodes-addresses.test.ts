import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, type World } from '../../support/world.ts'

interface Created {
  readonly node: { readonly id: string; readonly overlayIp: string; readonly cluster: { configVersion: number } }
}

describe.each(engines)('addresses of the overlay on %s', (engine) => {
  let app: TestApp
  let world: World
  let clusterId: string
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'own', randomUUID())
  })
  afterAll(() => app.close())

  const newCluster = async (networkCidr: string) => {
    const input = { name: randomUUID(), networkCidr }
    const made = await mutate<{ cluster: { id: string } }>(app, world.admin, 'createCluster', input, 'cluster { id }')
    clusterId = made.cluster.id
  }
  beforeEach(() => newCluster('10.7.0.0/16'))

  const create = (overlayIp?: string) => {
    const input = { clusterId, name: randomUUID(), overlayIp }
    return mutate<Created>(app, world.admin, 'createNode', input, 'node { id overlayIp cluster { configVersion } }')
  }
  const addressOf = async (overlayIp?: string) => (await create(overlayIp)).node.overlayIp
  const remove = (nodeId: string) => mutate(app, world.admin, 'deleteNode', { nodeId })
  const version = () => app.database.client.cluster.findUniqueOrThrow({ where: { id: clusterId } })

  /** Nodes at `count` addresses from the network's `first` one on, put straight into the table. */
  const fill = async (first: number, count: number) => {
    const { tenantId } = world
    const data = Array.from({ length: count }, (_, index) => ({
      ...{ id: randomUUID(), tenantId, clusterId, name: `n${index}`, tokenHash: randomUUID(), routes: [], groups: [] },
      overlayIp: `10.7.${Math.floor((first + index) / 256)}.${(first + index) % 256}`,
    }))
    await app.database.client.node.createMany({ data })
  }

  test('a node gets the lowest free one', async () => {
    expect([await addressOf(), await addressOf(), await addressOf()]).toEqual(['10.7.0.1', '10.7.0.2', '10.7.0.3'])
  })

  test('a freed one is given again, the lowest first', async () => {
    const [a, b, c] = [await create(), await create(), await create()]
    await remove(c.node.id)
    await remove(a.node.id)
    expect([await addressOf(), await addressOf(), await addressOf()]).toEqual(['10.7.0.1', '10.7.0.3', '10.7.0.4'])
    expect(b.node.overlayIp).toBe('10.7.0.2')
  })

  test('one may be asked for, and the others go round it', async () => {
    expect(await addressOf('10.7.0.2')).toBe('10.7.0.2')
    expect(await addressOf('10.7.255.254')).toBe('10.7.255.254')
    expect([await addressOf(), await addressOf()]).toEqual(['10.7.0.1', '10.7.0.3'])
  })

  test('two clusters have the same addresses', async () => {
    const first = await addressOf()
    await newCluster('10.7.0.0/16')
    expect(await addressOf()).toBe(first)
  })

  test('one that another node has is refused, and the version with it', async () => {
    await create('10.7.3.3')
    const { configVersion } = await version()
    const { __typename, message } = await create('10.7.3.3')
    expect({ __typename, message }).toEqual({
      __typename: 'ConflictError',
      message: '10.7.3.3 belongs to another node of the cluster',
    })
    expect((await version()).configVersion).toBe(configVersion)
  })

  test.each([
    ['the network itself', '10.7.0.0'],
    ['its broadcast address', '10.7.255.255'],
    ['an address outside', '10.8.0.1'],
    ['an IPv6 address', 'fd00::1'],
  ])('%s is no node’s', async (_what, wanted) => {
    const { configVersion } = await version()
    expect(await create(wanted)).toMatchObject({
      __typename: 'ValidationError',
      issues: [
        { path: ['input', 'overlayIp'], message: 'must be an address of 10.7.0.0/16, 10.7.0.1 to 10.7.255.254' },
      ],
    })
    expect((await version()).configVersion).toBe(configVersion)
  })

  test('a full network takes nobody, until somebody leaves', async () => {
    await newCluster('10.8.0.0/30')
    const first = await create()
    expect(await addressOf()).toBe('10.8.0.2')
    const { configVersion } = await version()
    const { __typename, message } = await create()
    expect({ __typename, message }).toEqual({
      __typename: 'LimitError',
      message: 'Every address of 10.8.0.0/30 is taken',
    })
    expect((await version()).configVersion).toBe(configVersion)
    await remove(first.node.id)
    expect(await addressOf()).toBe('10.8.0.1')
  })

  test('finding one asks the same few things in a large cluster as in a small one', async () => {
    const look = async () => {
      app.takeStatements()
      await create()
      return app.takeStatements().filter((sql) => /SELECT.*overlay_ip/.test(sql)).length
    }
    const small = await look()
    await fill(2, 1000)
    await app.database.client.cluster.update({ where: { id: clusterId }, data: { nextOverlayIp: '10.7.3.234' } })
    expect(await look()).toBe(small)
  })

  test('a run of taken addresses is passed over', async () => {
    await fill(1, 200)
    expect([await addressOf(), await addressOf()]).toEqual(['10.7.0.201', '10.7.0.202'])
  })

  test('64 nodes created at once have 64 addresses and 64 versions', async () => {
    const before = (await version()).configVersion
    const made = await Promise.all(Array.from({ length: 64 }, () => create()))
    expect(made.map(({ __typename }) => __typename)).toEqual(made.map(() => 'CreateNodePayload'))
    const last = (address: string) => Number(address.split('.')[3])
    const addresses = made.map(({ node }) => last(node.overlayIp)).sort((a, b) => a - b)
    expect(addresses).toEqual(Array.from({ length: 64 }, (_, index) => index + 1))
    expect((await version()).configVersion).toBe(before + 64)
  })

  test('64 changes of every kind at once give 64 different versions and no error', async () => {
    const nodes = []
    for (let index = 0; index < 8; index += 1) nodes.push((await create()).node.id)
    const cluster = 'node { cluster { configVersion } }'
    const seen = await Promise.all(
      nodes.flatMap((nodeId, index) => [
        create(),
        ...[1300, 1400].map((mtu) => mutate<Created>(app, world.admin, 'updateNodeMtu', { nodeId, mtu }, cluster)),
        mutate<Created>(app, world.admin, 'updateNodeRoutes', { nodeId, routes: [`172.16.${index}.0/24`] }, cluster),
        mutate<Created>(app, world.admin, 'updateNodeRelay', { nodeId, isRelay: true }, cluster),
        mutate<Created>(app, world.admin, 'updateNodeGroups', { nodeId, groups: ['a'] }, cluster),
        mutate<Created>(app, world.admin, 'updateNodeAdmin', { nodeId, isAdmin: true }, cluster),
        mutate<Created>(app, world.admin, 'rotateNodeToken', { nodeId }, cluster),
      ]),
    )
    expect(seen.filter(({ node }) => (node as Created['node'] | undefined) === undefined)).toEqual([])
    expect((await version()).configVersion).toBe(1 + 8 + 64)
  })
})
