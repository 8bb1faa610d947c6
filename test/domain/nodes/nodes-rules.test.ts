import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate, refusedWith } from '../../support/mutate.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const many = (count: number, item: (index: number) => string) => Array.from({ length: count }, (_, i) => item(i))
const inside = "must not overlap the cluster's network, 10.42.0.0/16"
const notCidr = 'must be a network in CIDR notation without host bits, such as 192.168.1.0/24'
const allTraffic = 'takes all traffic: set allowDefaultRoute when that is wanted'

/** Each rule: where it is broken, what the answer says, and an input that breaks it and no other. */
const rules = {
  name: [
    ['name', 'must not be empty', { name: '  ' }],
    ['name', 'must not contain control characters', { name: 'a\u0000b' }],
    ['name', 'must have at most 253 bytes of UTF-8', { name: 'x'.repeat(254) }],
  ],
  mtu: [
    ['mtu', 'must be 1280 to 9000 bytes', { mtu: 1279 }],
    ['mtu', 'must be 1280 to 9000 bytes', { mtu: 9001 }],
  ],
  groups: [
    ['groups', 'must have at most 64 groups', { groups: many(65, (i) => `g${i}`) }],
    ['groups.0', 'must not be empty', { groups: [' '] }],
    ['groups.0', 'must have at most 253 bytes of UTF-8', { groups: ['x'.repeat(254)] }],
    ['groups.0', 'must not contain control characters', { groups: ['a\nb'] }],
    ['groups.1', 'must not contain a comma', { groups: ['a', 'b,c'] }],
    ['groups.1', 'is there twice: a', { groups: ['a', ' a '] }],
  ],
  routes: [
    ['routes', 'must have at most 256 routes', { routes: many(257, (i) => `172.16.${i % 256}.0/24`) }],
    ['routes.1', notCidr, { routes: ['192.168.1.0/24', '192.168.1.1/24'] }],
    ['routes.0', notCidr, { routes: ['fd00::1/64'] }],
    ['routes.0', 'must be written as the IPv4 network that it is', { routes: ['::ffff:10.0.0.0/104'] }],
    ['routes.1', 'is there twice: fd00::/64', { routes: ['fd00::/64', 'FD00:0::/64'] }],
    ['routes.1', inside, { routes: ['192.168.1.0/24', '10.42.7.0/24'] }],
    ['routes.0', inside, { routes: ['10.42.0.0/16'] }],
    ['routes.0', inside, { routes: ['10.0.0.0/8'], allowDefaultRoute: true }],
    ['routes.0', allTraffic, { routes: ['0.0.0.0/0'] }],
    ['routes.1', allTraffic, { routes: ['192.168.1.0/24', '::/0'], allowDefaultRoute: false }],
  ],
  lighthouse: [
    ['lighthousePublicIp', 'is needed: the others find a lighthouse by its public address', { isLighthouse: true }],
    [
      'lighthousePublicIp',
      'must be an address that other machines can reach, not a loopback one',
      { isLighthouse: true, lighthousePublicIp: '127.0.0.1' },
    ],
    [
      'lighthousePublicIp',
      'must not be within fe80::/10, which is for one link only',
      { isLighthouse: true, lighthousePublicIp: 'fe80::1' },
    ],
    [
      'lighthousePublicIp',
      'must not be within 240.0.0.0/4, which is reserved',
      { isLighthouse: true, lighthousePublicIp: '250.1.2.3' },
    ],
    [
      'lighthousePublicIp',
      'must lie outside of the overlay network, 10.42.0.0/16',
      { isLighthouse: true, lighthousePublicIp: '10.42.0.9' },
    ],
  ],
} as const

const all = Object.values(rules).flat()
const updates = (
  [
    ['updateNodeMtu', rules.mtu],
    ['updateNodeGroups', rules.groups],
    ['updateNodeRoutes', rules.routes],
    ['updateNodeLighthouse', rules.lighthouse],
  ] as const
).flatMap(([mutation, broken]) => broken.map(([path, message, input]) => [mutation, path, message, input] as const))

describe.each(engines)('what a node may be on %s', (engine) => {
  let app: TestApp
  let world: World
  let before: number
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'own', randomUUID())
  })
  afterAll(() => app.close())
  beforeEach(async () => {
    before = await version()
  })

  const version = async () => {
    const query = 'query ($id: UUID!) { cluster(id: $id) { configVersion } }'
    const data = await app.ask<{ cluster: { configVersion: number } }>(app.operator, query, { id: world.clusterId })
    return data.cluster.configVersion
  }
  const create = (input: object) =>
    mutate(app, world.admin, 'createNode', { clusterId: world.clusterId, name: 'refused', ...input })
  const set = (mutation: string, input: object, payload?: string) =>
    mutate<{ node: object }>(app, world.admin, mutation, { nodeId: world.nodeId, ...input }, payload)

  test.each(all)('a new node’s %s %s', async (path, message, input) => {
    expect(await create(input)).toMatchObject({
      __typename: 'ValidationError',
      message: `input.${path}: ${message}`,
      issues: [{ path: ['input', ...path.split('.')], message }],
    })
    expect(await version()).toBe(before)
  })

  test.each(updates)('%s: %s %s', async (mutation, path, message, input) => {
    expect(await set(mutation, input)).toMatchObject({
      __typename: 'ValidationError',
      issues: [{ path: ['input', ...path.split('.')], message }],
    })
    expect(await version()).toBe(before)
  })

  test('every rule that is broken is named at once', async () => {
    const { issues } = await create({ name: ' ', mtu: 0, groups: [''], routes: ['10.0.0.1/8', 'fd00::1/8'] })
    const paths = issues?.map(({ path }) => path.join('.'))
    expect(paths).toEqual(['input.name', 'input.mtu', 'input.groups.0', 'input.routes.0', 'input.routes.1'])
    const { issues: routes } = await create({ routes: ['10.42.1.0/24', '192.168.1.0/24', '10.42.2.0/24'] })
    expect(routes?.map(({ path }) => path.join('.'))).toEqual(['input.routes.0', 'input.routes.2'])
  })

  test('a refused node leaves its name and its address to others', async () => {
    await create({ name: 'wanted', overlayIp: '10.42.9.9', routes: ['10.42.1.0/24'] })
    const input = { name: 'wanted', overlayIp: '10.42.9.9' }
    expect(await create(input)).toMatchObject({ __typename: 'CreateNodePayload' })
    expect(await version()).toBe(before + 1)
  })

  test.each([
    ['a port', 'lighthousePort', 65536],
    ['an address', 'overlayIp', '10.42.0'],
    ['an address', 'lighthousePublicIp', 'example.org'],
    ['a network', 'routes', ['10.0.0.0']],
    ['a whole number', 'mtu', 1300.5],
  ])('what has not the form of %s is refused before any rule: %s', async (_what, field, value) => {
    const input = { clusterId: world.clusterId, name: 'refused', [field]: value }
    expect(await refusedWith(app, world.admin, 'createNode', input)).toBe('BAD_USER_INPUT')
    expect(await version()).toBe(before)
  })

  test('the bounds themselves are allowed', async () => {
    const groups = many(64, (i) => String(i).padStart(253, 'g'))
    const routes = many(256, (i) => `172.16.${i}.0/24`)
    expect((await set('updateNodeGroups', { groups }, 'node { groups }')).node).toEqual({ groups })
    expect((await set('updateNodeRoutes', { routes }, 'node { routes }')).node).toEqual({ routes })
    for (const mtu of [1280, 9000]) expect((await set('updateNodeMtu', { mtu }, 'node { mtu }')).node).toEqual({ mtu })
    for (const lighthousePort of [1, 65535]) {
      const input = { isLighthouse: false, lighthousePort }
      expect((await set('updateNodeLighthouse', input, 'node { lighthousePort }')).node).toEqual({ lighthousePort })
    }
    expect(await create({ name: '\u{1f52d}'.repeat(63) })).toMatchObject({ __typename: 'CreateNodePayload' })
  })

  test('lists are counted before anything in them is looked at', async () => {
    const { issues } = await set('updateNodeRoutes', { routes: many(1000, () => '10.0.0.1/8') })
    expect(issues).toEqual([{ path: ['input', 'routes'], message: 'must have at most 256 routes' }])
  })

  test('a node of another cluster is held to its own network', async () => {
    const { cluster } = await mutate<{ cluster: { id: string } }>(
      app,
      world.admin,
      'createCluster',
      { name: 'elsewhere', networkCidr: '192.168.0.0/20' },
      'cluster { id }',
    )
    const { id } = await createNode(app, world.admin, { clusterId: cluster.id, name: 'n', routes: ['10.42.0.0/16'] })
    const input = { nodeId: id, routes: ['192.168.15.0/24'] }
    expect(await mutate(app, world.admin, 'updateNodeRoutes', input)).toMatchObject({ __typename: 'ValidationError' })
  })
})
