import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, type World } from '../../support/world.ts'

interface Page {
  readonly totalCount: number
  readonly nodes: readonly { readonly name: string }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}

describe.each(engines)('reading nodes on %s', (engine) => {
  let app: TestApp
  let world: World
  let other: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'own', randomUUID())
    other = await createWorld(app, 'other', randomUUID())
  })
  afterAll(() => app.close())

  /** A cluster of the world with nodes of these columns, put straight into the table. */
  const clusterWith = async (rows: readonly object[]) => {
    const input = { name: randomUUID() }
    const { cluster } = await mutate<{ cluster: { id: string } }>(
      app,
      world.admin,
      'createCluster',
      input,
      'cluster { id }',
    )
    const data = rows.map((row, index) => ({
      ...{ id: randomUUID(), tenantId: world.tenantId, clusterId: cluster.id, tokenHash: randomUUID() },
      ...{ name: `n${String(index).padStart(3, '0')}`, routes: [], groups: [] },
      ...{ overlayIp: `10.42.${Math.floor(index / 250)}.${(index % 250) + 1}`, ...row },
    }))
    await app.database.client.node.createMany({ data })
    return cluster.id
  }
  const plain = (count: number) => clusterWith(Array.from({ length: count }, () => ({})))

  const list = async (clusterId: string, args: object = {}, token = world.viewer): Promise<Page> => {
    const query = `query ($clusterId: UUID!, $first: Int, $last: Int, $after: String, $before: String, $filter: NodeFilter) {
      nodes(clusterId: $clusterId, first: $first, last: $last, after: $after, before: $before, filter: $filter) {
        totalCount nodes { name } pageInfo { hasNextPage endCursor }
      }
    }`
    return (await app.ask<{ nodes: Page }>(token, query, { clusterId, ...args })).nodes
  }
  const names = (page: Page) => page.nodes.map(({ name }) => name)

  describe('node(id)', () => {
    const query = 'query ($id: UUID!) { node(id: $id) { name cluster { id tenant { id } } tenant { id } } }'
    const ask = (token: string, id: string) => app.ask<{ node: unknown }>(token, query, { id })

    test('is for operators, everybody of the tenant who reads, and the nodes of its cluster', async () => {
      const tenant = { id: world.tenantId }
      const node = { name: 'own-node', cluster: { id: world.clusterId, tenant }, tenant }
      for (const token of [app.operator, world.admin, world.viewer, world.nodeToken, world.adminNodeToken]) {
        expect(await ask(token, world.nodeId)).toEqual({ node })
      }
    })

    test('is null for others, as for an id that does not exist', async () => {
      for (const token of [other.admin, other.viewer, other.nodeToken, other.adminNodeToken]) {
        expect(await ask(token, world.nodeId)).toEqual({ node: null })
      }
      expect(await ask(app.operator, randomUUID())).toEqual({ node: null })
    })

    test('shows what an agent reported, and never the token’s hash', async () => {
      const clusterId = await clusterWith([
        {
          ...{ name: 'reporting', runningConfigVersion: 7, nebulaVersion: '1.10.0', lastError: 'bad yaml' },
          lastSeenAt: new Date(0),
        },
      ])
      const { nodes: page } = await app.ask<{ nodes: { nodes: unknown[] } }>(
        world.viewer,
        `query ($id: UUID!) { nodes(clusterId: $id) { nodes {
          runningConfigVersion nebulaVersion lastError lastSeenAt createdAt publicKey certificate certificateFingerprint
          certificateExpiresAt } } }`,
        { id: clusterId },
      )
      expect(page.nodes).toMatchObject([
        {
          runningConfigVersion: 7,
          nebulaVersion: '1.10.0',
          lastError: 'bad yaml',
          lastSeenAt: '1970-01-01T00:00:00.000Z',
        },
      ])
      const { __type } = await app.ask<{ __type: { fields: { name: string }[] } }>(
        app.operator,
        '{ __type(name: "Node") { fields { name } } }',
      )
      // `formerToken` says when a token ends, not what it is.
      const isSecret = (name: string) => /token|hash/i.test(name) && name !== 'formerToken'
      expect(__type.fields.filter(({ name }) => isSecret(name))).toEqual([])
    })
  })

  describe('nodes(clusterId) and Cluster.nodes', () => {
    test('a cluster that is not the caller’s has none', async () => {
      const nothing = { totalCount: 0, nodes: [] }
      expect(await list(world.clusterId, {}, other.admin)).toMatchObject(nothing)
      expect(await list(world.clusterId, {}, other.nodeToken)).toMatchObject(nothing)
      expect(await list(randomUUID(), {}, app.operator)).toMatchObject(nothing)
      expect(names(await list(world.clusterId, {}, app.operator))).toEqual(['own-admin-node', 'own-node'])
    })

    const kinds = [
      { name: 'Alpha', isLighthouse: true, lighthousePublicIp: '203.0.113.1', isAdmin: true },
      { name: 'beta', isRelay: true, routes: ['192.168.1.0/24'], runningConfigVersion: 6 },
      { name: 'gamma', isRelay: true, isLighthouse: true, lighthousePublicIp: '203.0.113.2', runningConfigVersion: 5 },
      { name: 'delta_1', runningConfigVersion: 4 },
      { name: 'deltaX1' },
    ]
    const all = ['Alpha', 'beta', 'delta_1', 'deltaX1', 'gamma']
    const others = (some: readonly string[]) => all.filter((name) => !some.includes(name))
    const flags = [
      ['isLighthouse', ['Alpha', 'gamma']],
      ['isRelay', ['beta', 'gamma']],
      ['isAdmin', ['Alpha']],
      ['hasRoutes', ['beta']],
      ['outdated', ['Alpha', 'delta_1', 'deltaX1']],
    ] as const

    test('each filter narrows both, and their counts', async () => {
      const clusterId = await clusterWith(kinds)
      for (const version of [3, 5]) {
        const bundle = { tenantId: world.tenantId, clusterId, data: Buffer.from(''), sha256: '', size: 0 }
        await app.database.client.configBundle.create({ data: { version, ...bundle } })
      }
      const edge = async (filter: object) => {
        const query = `query ($id: UUID!, $filter: NodeFilter) {
          cluster(id: $id) { nodes(filter: $filter) { totalCount nodes { name } } } }`
        const { cluster } = await app.ask<{ cluster: { nodes: Page } }>(world.viewer, query, { id: clusterId, filter })
        return cluster.nodes
      }
      const expectBoth = async (filter: object, expected: readonly string[]) => {
        for (const page of [await list(clusterId, { filter }), await edge(filter)]) {
          const sorted = [...names(page)].sort((a, b) => a.localeCompare(b))
          expect({ filter, names: sorted, totalCount: page.totalCount }).toEqual({
            filter,
            names: expected,
            totalCount: expected.length,
          })
        }
      }
      await expectBoth({}, all)
      for (const [flag, some] of flags) {
        await expectBoth({ [flag]: true }, some)
        await expectBoth({ [flag]: false }, others(some))
        await expectBoth({ [flag]: null }, all)
      }
      await expectBoth({ name: 'ALP' }, ['Alpha'])
      await expectBoth({ name: 'a_1' }, ['delta_1'])
      await expectBoth({ name: 'A', isRelay: true, isLighthouse: true }, ['gamma'])
    })

    test('nobody is outdated where nothing was published', async () => {
      const clusterId = await clusterWith([{ name: 'new' }])
      expect(await list(clusterId, { filter: { outdated: true } })).toMatchObject({ totalCount: 0 })
      expect(await list(clusterId, { filter: { outdated: false } })).toMatchObject({ totalCount: 1 })
    })

    test('pages follow each other although rows between them go', async () => {
      const clusterId = await plain(10)
      const first = await list(clusterId, { first: 4 })
      expect(names(first)).toEqual(['n000', 'n001', 'n002', 'n003'])
      expect(first).toMatchObject({ totalCount: 10, pageInfo: { hasNextPage: true } })
      const { client } = app.database
      await client.node.deleteMany({ where: { clusterId, name: { in: ['n001', 'n003', 'n004'] } } })
      const second = await list(clusterId, { first: 4, after: first.pageInfo.endCursor })
      expect(names(second)).toEqual(['n005', 'n006', 'n007', 'n008'])
      const third = await list(clusterId, { first: 4, after: second.pageInfo.endCursor })
      expect(third).toMatchObject({ totalCount: 7, pageInfo: { hasNextPage: false } })
      expect(names(third)).toEqual(['n009'])
      expect(names(await list(clusterId, { last: 2, before: second.pageInfo.endCursor }))).toEqual(['n006', 'n007'])
    })

    test('a page is at most 500 long', async () => {
      const { errors } = await app.answer(
        world.viewer,
        'query ($id: UUID!) { nodes(clusterId: $id, first: 501) { nodes { name } } }',
        { id: world.clusterId },
      )
      expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT')
    })

    test('300 nodes, each with its cluster and tenant, take one statement a field at most, as 3 do', async () => {
      const count = async (clusterId: string) => {
        app.takeStatements()
        const data = await app.ask<{ nodes: { nodes: unknown[] } }>(
          world.viewer,
          `query ($id: UUID!) {
            nodes(clusterId: $id, first: 300) { totalCount nodes { name routes cluster { name tenant { name } } tenant { name } } }
            cluster(id: $id) { nodes(first: 300) { totalCount nodes { name cluster { name } } } }
          }`,
          { id: clusterId },
        )
        return { statements: app.takeStatements().length, rows: data.nodes.nodes.length }
      }
      const [few, many] = [await count(await plain(3)), await count(await plain(300))]
      expect([few.rows, many.rows]).toEqual([3, 300])
      // The caller's tenant, two lists with their counts, and the six edges.
      expect(few.statements).toBeLessThanOrEqual(11)
      expect(many.statements).toBeLessThanOrEqual(11)
    })
  })
})
