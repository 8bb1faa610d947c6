import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate, refusedWith } from '../../support/mutate.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

interface Routed {
  readonly node: { readonly routes: readonly string[]; readonly routesUpdatedAt: string | null }
  readonly overlaps: readonly { route: string; node: { name: string }; nodeRoute: string }[]
}
const shown = 'node { routes routesUpdatedAt } overlaps { route node { name mtu overlayIp } nodeRoute }'

describe.each(engines)('routes on %s', (engine) => {
  let app: TestApp
  let world: World
  let node: { id: string; token: string }
  beforeAll(async () => {
    app = await startApp(engine)
  })
  afterAll(() => app.close())
  beforeEach(async () => {
    // Its plain node routes 192.168.1.0/24.
    world = await createWorld(app, randomUUID(), randomUUID())
    node = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'gateway' })
  })

  const set = (input: object, token = world.admin, nodeId = node.id) =>
    mutate<Routed>(app, token, 'updateNodeRoutes', { nodeId, ...input }, shown)
  const met = ({ overlaps }: Routed) => overlaps.map(({ route, nodeRoute }) => `${route} ${nodeRoute}`)

  test('a node sets its own, and nobody else’s', async () => {
    const { node: changed } = await set({ routes: ['172.16.0.0/24'] }, node.token)
    expect(changed.routes).toEqual(['172.16.0.0/24'])
    const input = { nodeId: world.nodeId, routes: [] }
    expect(await refusedWith(app, node.token, 'updateNodeRoutes', input)).toBe('FORBIDDEN')
  })

  test('all of them are replaced, and the time is kept', async () => {
    await set({ routes: ['172.16.0.0/24', '172.17.0.0/24'] })
    const { node: changed } = await set({ routes: [] })
    expect(changed.routes).toEqual([])
    expect(Date.now() - Date.parse(changed.routesUpdatedAt ?? '')).toBeLessThan(60_000)
  })

  test('they are kept in one way of writing', async () => {
    const { node: changed } = await set({ routes: ['11.0.0.0/08'] })
    expect(changed.routes).toEqual(['11.0.0.0/8'])
    // A leading zero in an address is octal to some and decimal to others: it is no network at all.
    const input = { nodeId: node.id, routes: ['011.0.0.0/8'] }
    expect(await refusedWith(app, world.admin, 'updateNodeRoutes', input)).toBe('BAD_USER_INPUT')
  })

  test('one inside another of the same node is allowed', async () => {
    const { node: changed, overlaps } = await set({ routes: ['172.16.0.0/12', '172.16.0.0/24'] })
    expect(changed.routes).toEqual(['172.16.0.0/12', '172.16.0.0/24'])
    expect(overlaps).toEqual([])
  })

  test('a default route is taken when it is asked for', async () => {
    const { node: changed } = await set({ routes: ['0.0.0.0/0'], allowDefaultRoute: true })
    expect(changed.routes).toEqual(['0.0.0.0/0'])
  })

  test('no node makes itself everybody’s gateway', async () => {
    const input = { nodeId: node.id, routes: ['0.0.0.0/0'], allowDefaultRoute: true }
    expect(await refusedWith(app, node.token, 'updateNodeRoutes', input)).toBe('FORBIDDEN')
    expect((await set(input, world.adminNodeToken)).node.routes).toEqual(['0.0.0.0/0'])
  })

  test('another node’s route in the way is no mistake, and is told', async () => {
    const routes = ['192.168.0.0/16', '192.168.1.0/24', '192.168.1.128/25', '192.168.2.0/24']
    const outcome = await set({ routes })
    expect(met(outcome)).toEqual([
      '192.168.0.0/16 192.168.1.0/24',
      '192.168.1.0/24 192.168.1.0/24',
      '192.168.1.128/25 192.168.1.0/24',
    ])
    expect(outcome.overlaps[0]?.node).toMatchObject({ mtu: 1300, overlayIp: '10.42.0.1' })
  })

  test('a new node hears of them as well', async () => {
    const input = { clusterId: world.clusterId, name: 'redundant', routes: ['192.168.1.0/24'] }
    const { overlaps } = await mutate<Routed>(app, world.admin, 'createNode', input, shown)
    expect(overlaps.map(({ route, nodeRoute }) => [route, nodeRoute])).toEqual([['192.168.1.0/24', '192.168.1.0/24']])
  })

  test('other clusters are not looked at', async () => {
    const { cluster } = await mutate<{ cluster: { id: string } }>(
      app,
      world.admin,
      'createCluster',
      { name: 'other' },
      'cluster { id }',
    )
    await createNode(app, world.admin, { clusterId: cluster.id, name: 'its gateway', routes: ['172.20.0.0/16'] })
    expect(met(await set({ routes: ['172.20.0.0/16'] }))).toEqual([])
  })

  test('IPv6 is refused: no certificate of an IPv4 overlay can hold it', async () => {
    const input = { nodeId: node.id, routes: ['172.16.0.0/24', 'fd00::/64'] }
    expect(await mutate(app, world.admin, 'updateNodeRoutes', input)).toMatchObject({
      issues: [{ path: ['input', 'routes', '1'], message: 'is IPv6: certificates of version 1 hold IPv4 only' }],
    })
    const created = { clusterId: world.clusterId, name: 'six', routes: ['::/0'], allowDefaultRoute: true }
    expect(await mutate(app, world.admin, 'createNode', created)).toMatchObject({ __typename: 'ValidationError' })
    await app.database.client.cluster.update({ where: { id: world.clusterId }, data: { certificateVersion: 2 } })
    expect(await mutate(app, world.admin, 'updateNodeRoutes', input)).toMatchObject({
      issues: [{ message: expect.stringMatching(/behind nodes with an IPv6 address only/) }],
    })
    await app.database.client.cluster.update({ where: { id: world.clusterId }, data: { certificateVersion: 1 } })
  })

  test('a default route meets every route', async () => {
    expect(met(await set({ routes: ['0.0.0.0/0'], allowDefaultRoute: true }))).toEqual(['0.0.0.0/0 192.168.1.0/24'])
  })

  test('they are told in one statement, and only when they are asked for', async () => {
    const statements = async (payload: string) => {
      app.takeStatements()
      await mutate(app, world.admin, 'updateNodeRoutes', { nodeId: node.id, routes: ['192.168.0.0/16'] }, payload)
      return app.takeStatements().length
    }
    const without = await statements('node { routes }')
    expect(await statements(shown)).toBe(without + 1)
    for (let index = 0; index < 5; index += 1) {
      const input = { clusterId: world.clusterId, name: `n${index}`, routes: ['192.168.1.0/24'] }
      await createNode(app, world.admin, input)
    }
    expect(await statements(shown)).toBe(without + 1)
  })

  test('at most 1000 are told', async () => {
    const routes = Array.from({ length: 256 }, (_, index) => `172.16.${index}.0/24`)
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await createNode(app, world.admin, { clusterId: world.clusterId, name, routes })
    }
    expect((await set({ routes })).overlaps).toHaveLength(1000)
  })
})
