import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

interface NodePayload {
  readonly node: Readonly<Record<string, unknown>>
  readonly token: string
}

/** Every mutation of a node, with an input that is right and what the node shows of it afterwards. */
const settings = [
  ['updateNodeMtu', { mtu: 1400 }, { mtu: 1400 }],
  ['updateNodeRoutes', { routes: ['172.16.0.0/16', '172.20.0.0/016'] }, { routes: ['172.16.0.0/16', '172.20.0.0/16'] }],
  [
    'updateNodeLighthouse',
    { isLighthouse: true, lighthousePublicIp: '203.0.113.7', lighthousePort: 4300 },
    { isLighthouse: true, lighthousePublicIp: '203.0.113.7', lighthousePort: 4300 },
  ],
  ['updateNodeRelay', { isRelay: true }, { isRelay: true }],
  ['updateNodeGroups', { groups: [' web ', 'db'] }, { groups: ['web', 'db'] }],
  ['updateNodeAdmin', { isAdmin: true }, { isAdmin: true }],
  ['rotateNodeToken', {}, {}],
  ['deleteNode', {}, {}],
] as const

const shown = `node {
  id name isAdmin mtu routes routesUpdatedAt isLighthouse lighthousePublicIp lighthousePort isRelay
  lighthouseRelayUpdatedAt overlayIp groups publicKey certificate runningConfigVersion
}`

describe.each(engines)('changing nodes on %s', (engine) => {
  let app: TestApp
  let world: World
  let other: World
  let sibling: { clusterId: string; adminNodeToken: string }
  /** A plain node of the world's cluster, fresh for each test. */
  let node: { id: string; token: string }

  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'own', randomUUID())
    other = await createWorld(app, 'other', randomUUID())
    const { cluster } = await mutate<{ cluster: { id: string } }>(
      app,
      world.admin,
      'createCluster',
      { name: 'sibling' },
      'cluster { id }',
    )
    const admin = await createNode(app, world.admin, { clusterId: cluster.id, name: 'sibling admin', isAdmin: true })
    sibling = { clusterId: cluster.id, adminNodeToken: admin.token }
  })
  afterAll(() => app.close())
  beforeEach(async () => {
    node = await createNode(app, world.admin, { clusterId: world.clusterId, name: `node ${randomUUID()}` })
  })

  const version = async (): Promise<number> => {
    const { cluster } = await app.ask<{ cluster: { configVersion: number } }>(
      app.operator,
      'query ($id: UUID!) { cluster(id: $id) { configVersion } }',
      { id: world.clusterId },
    )
    return cluster.configVersion
  }
  /** Runs it and says by how much the cluster's version went up. */
  const bumps = async (work: () => Promise<unknown>): Promise<number> => {
    const before = await version()
    await work()
    return (await version()) - before
  }
  const create = (input: object, token = world.admin) =>
    mutate<NodePayload>(app, token, 'createNode', { clusterId: world.clusterId, ...input }, `${shown} token`)

  describe('createNode', () => {
    test('gives a node with the defaults, an address, and a token that signs it in', async () => {
      const { __typename, node: made, token } = await create({ name: '  gateway  ' })
      expect(__typename).toBe('CreateNodePayload')
      expect(made).toMatchObject({ name: 'gateway', isAdmin: false, mtu: 1300, routes: [], groups: [] })
      expect(made).toMatchObject({ isLighthouse: false, isRelay: false, routesUpdatedAt: null, publicKey: null })
      expect(made['lighthouseRelayUpdatedAt']).toBeNull()
      expect(token).toMatch(/^orn_[A-Za-z0-9_-]{43}$/)
      const { viewer } = await app.ask<{ viewer: unknown }>(token, '{ viewer { ... on Node { id } } }')
      expect(viewer).toEqual({ id: made['id'] })
    })

    test('takes every setting', async () => {
      const input = {
        ...{
          name: 'everything',
          isAdmin: true,
          mtu: 9000,
          groups: ['a', 'b'],
          overlayIp: '10.42.200.1',
          isRelay: true,
        },
        ...{ routes: ['0.0.0.0/0', '192.168.9.0/24'], allowDefaultRoute: true },
        ...{ isLighthouse: true, lighthousePublicIp: '2001:DB8::1', lighthousePort: 1 },
      }
      const { allowDefaultRoute, ...kept } = input
      expect(allowDefaultRoute).toBe(true)
      const { node: made } = await create(input)
      expect(made).toMatchObject({ ...kept, lighthousePublicIp: '2001:db8::1' })
      expect(made['routesUpdatedAt']).not.toBeNull()
      expect(made['lighthouseRelayUpdatedAt']).not.toBeNull()
    })

    test.each(['operator', 'admin', 'admin node'] as const)(
      'is for the %s, and bumps the version once',
      async (who) => {
        const token = { operator: app.operator, admin: world.admin, 'admin node': world.adminNodeToken }[who]
        expect(await bumps(() => create({ name: `by the ${who}` }, token))).toBe(1)
      },
    )

    test('refuses a name that the cluster has, and takes it in another cluster', async () => {
      await create({ name: 'taken' })
      expect(await bumps(() => create({ name: 'taken' }))).toBe(0)
      expect(await create({ name: 'taken' })).toMatchObject({
        __typename: 'ConflictError',
        message: 'The cluster has a node named "taken" already',
      })
      expect(await create({ name: 'taken', clusterId: sibling.clusterId })).toMatchObject({
        __typename: 'CreateNodePayload',
      })
    })

    test('finds no cluster that is not the caller’s', async () => {
      const refused = { __typename: 'NotFoundError', message: 'Cluster not found' }
      expect(await create({ name: 'x', clusterId: randomUUID() })).toEqual(refused)
      expect(await create({ name: 'x', clusterId: other.clusterId })).toEqual(refused)
      expect(await create({ name: 'x' }, sibling.adminNodeToken)).toEqual(refused)
    })
  })

  describe.each(settings)('%s', (mutation, input, expected) => {
    const call = (id: string, token: string) =>
      mutate<NodePayload>(app, token, mutation, { nodeId: id, ...input }, shown)

    test.each(['operator', 'admin', 'admin node'] as const)(
      'is for the %s, and bumps the version once',
      async (who) => {
        const token = { operator: app.operator, admin: world.admin, 'admin node': world.adminNodeToken }[who]
        const before = await version()
        const { node: changed } = await call(node.id, token)
        expect(changed).toMatchObject({ id: node.id, ...expected })
        expect(await version()).toBe(before + 1)
      },
    )

    test('finds no node that is not the caller’s, whether it exists or not', async () => {
      const refused = { __typename: 'NotFoundError', message: 'Node not found' }
      expect(await call(randomUUID(), world.admin)).toEqual(refused)
      expect(await call(node.id, other.admin)).toEqual(refused)
      expect(await call(node.id, sibling.adminNodeToken)).toEqual(refused)
      expect(await call(node.id, other.adminNodeToken)).toEqual(refused)
    })
  })

  test('updateNodeLighthouse sets all of it: what is left out is none', async () => {
    const set = (input: object) =>
      mutate<NodePayload>(app, world.admin, 'updateNodeLighthouse', { nodeId: node.id, ...input }, shown)
    const on = await set({ isLighthouse: true, lighthousePublicIp: '203.0.113.7', lighthousePort: 4300 })
    expect(on.node['lighthouseRelayUpdatedAt']).not.toBeNull()
    const off = await set({ isLighthouse: false })
    expect(off.node).toMatchObject({ isLighthouse: false, lighthousePublicIp: null, lighthousePort: null })
  })

  test('updateNodeRelay says when', async () => {
    const input = { nodeId: node.id, isRelay: false }
    const { node: changed } = await mutate<NodePayload>(app, world.admin, 'updateNodeRelay', input, shown)
    expect(changed['lighthouseRelayUpdatedAt']).not.toBeNull()
    expect(changed['routesUpdatedAt']).toBeNull()
  })

  test('a rotated token ends with the next request, and the new one is the same node', async () => {
    const { token } = await mutate<NodePayload>(
      app,
      world.admin,
      'rotateNodeToken',
      { nodeId: node.id },
      `${shown} token`,
    )
    const old = await app.answer(node.token, '{ viewer { __typename } }')
    expect(old.errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED')
    const { viewer } = await app.ask<{ viewer: unknown }>(token, '{ viewer { ... on Node { id } } }')
    expect(viewer).toEqual({ id: node.id })
  })

  test('a deleted node shows what it was, is gone, and its token with it', async () => {
    app.takeStatements()
    const { node: gone } = await mutate<NodePayload>(app, world.admin, 'deleteNode', { nodeId: node.id }, shown)
    expect(gone).toMatchObject({ id: node.id, mtu: 1300 })
    expect(app.takeStatements().filter((sql) => sql.startsWith('DELETE'))).toHaveLength(1)
    expect(await app.ask(world.admin, 'query ($id: UUID!) { node(id: $id) { id } }', { id: node.id })).toEqual({
      node: null,
    })
    const answer = await app.answer(node.token, '{ viewer { __typename } }')
    expect(answer.errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED')
  })

  test('the second change of one request sees the first one’s version', async () => {
    const data = await app.ask<Record<'a' | 'b', { node: { cluster: { configVersion: number } } }>>(
      world.admin,
      `mutation ($id: UUID!) {
        a: updateNodeMtu(input: { nodeId: $id, mtu: 1400 }) { ... on UpdateNodeMtuPayload { node { cluster { configVersion } } } }
        b: updateNodeMtu(input: { nodeId: $id, mtu: 1500 }) { ... on UpdateNodeMtuPayload { node { cluster { configVersion } } } }
      }`,
      { id: node.id },
    )
    expect(data.b.node.cluster.configVersion).toBe(data.a.node.cluster.configVersion + 1)
  })

  test('the answer of a change reads nothing again', async () => {
    await version()
    app.takeStatements()
    await mutate(app, world.admin, 'updateNodeMtu', { nodeId: node.id, mtu: 1500 }, shown)
    const afterwards = app.takeStatements().slice(-1)
    expect(afterwards).toEqual(['COMMIT'])
  })
})
