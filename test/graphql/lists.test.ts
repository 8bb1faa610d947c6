import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'

import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { clusterData, nodeData } from '../support/tenants.ts'
import { createWorld, type World } from '../support/world.ts'

interface Page {
  readonly nodes: {
    readonly totalCount: number
    readonly nodes: readonly { readonly name: string }[]
    readonly pageInfo: { readonly endCursor: string; readonly hasNextPage: boolean }
  }
}

const pageQuery = `query ($clusterId: UUID, $filter: NodeFilter, $orderBy: NodeOrder, $first: Int, $after: String) {
  nodes(clusterId: $clusterId, filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    totalCount nodes { name } pageInfo { endCursor hasNextPage } } }`

describe.each(engines)('lists and search on %s', (engine) => {
  let app: TestApp
  let ours: World
  let theirs: World
  let second: string
  beforeAll(async () => {
    app = await startApp(engine)
    ours = await createWorld(app, 'ours', randomUUID())
    theirs = await createWorld(app, 'theirs', randomUUID())
    const { client } = app.database
    const { id } = await client.cluster.create({ data: clusterData(ours.tenantId, randomUUID(), 'second') })
    second = id
    const add = (tenantId: string, clusterId: string, name: string, row: object) =>
      client.node.create({ data: { ...nodeData(tenantId, clusterId, name), ...row } })
    await add(ours.tenantId, second, 'edge-1', {
      ...{ overlayIp: '10.42.0.9', certificateFingerprint: 'ab12cd'.padEnd(64, '0'), routes: ['172.20.0.0/16'] },
      ...{ lastSeenAt: new Date(1000), groups: ['web'], description: 'Behind the 50% door' },
    })
    await add(ours.tenantId, second, 'edge-2', { overlayIp: '10.42.0.10', lastSeenAt: new Date(2000), groups: ['web'] })
    await add(ours.tenantId, second, 'edge-3', { overlayIp: '10.42.0.100' })
    await add(theirs.tenantId, theirs.clusterId, 'edge-of-others', {
      ...{ overlayIp: '10.42.0.9', certificateFingerprint: 'ab12ce'.padEnd(64, '0'), routes: ['172.20.0.0/16'] },
      description: 'Behind the 50% door',
    })
  })
  afterAll(() => app.close())

  const list = (token: string, variables: object) => app.ask<Page>(token, pageQuery, { ...variables })
  const names = async (token: string, variables: object) =>
    (await list(token, variables)).nodes.nodes.map(({ name }) => name)

  test('nodes of all clusters are those that the caller reaches', async () => {
    const edges = { filter: { text: 'EDGE' } }
    expect(await names(app.operator, edges)).toEqual(['edge-1', 'edge-2', 'edge-3', 'edge-of-others'])
    expect(await names(ours.viewer, edges)).toEqual(['edge-1', 'edge-2', 'edge-3'])
    expect(await names(ours.nodeToken, edges)).toEqual([])
    expect(await names(theirs.viewer, { ...edges, clusterId: second })).toEqual([])
  })

  test('pages follow each other in the asked order, and a cursor is only good for its own', async () => {
    const orderBy = { field: 'LAST_SEEN', direction: 'DESC' }
    const one = (await list(ours.viewer, { clusterId: second, orderBy, first: 1 })).nodes
    expect([one.nodes, one.pageInfo.hasNextPage]).toEqual([[{ name: 'edge-2' }], true])
    const rest = { clusterId: second, orderBy, after: one.pageInfo.endCursor }
    expect(await names(ours.viewer, rest)).toEqual(['edge-1', 'edge-3'])
    expect(await names(ours.viewer, { clusterId: second, orderBy: { field: 'ADDRESS' } })).toEqual([
      'edge-1',
      'edge-2',
      'edge-3',
    ])
    for (const other of [null, { field: 'LAST_SEEN', direction: 'ASC' }, { field: 'NAME', direction: 'DESC' }]) {
      const { errors } = await app.answer(ours.viewer, pageQuery, { ...rest, orderBy: other })
      expect(errors?.map(({ message }: { message: string }) => message)).toEqual([
        'That cursor was made for another order of this list.',
      ])
    }
  })

  test('counts that read many rows are long reads, those along the index of one cluster are not', async () => {
    const long = jest.spyOn(app.database.reader, 'readLong')
    const counted = async (variables: object) => {
      long.mockClear()
      const { totalCount } = (await list(ours.viewer, variables)).nodes
      return [totalCount, long.mock.calls.map(([, , { owner }]) => owner)]
    }
    expect(await counted({ clusterId: second })).toEqual([3, []])
    expect(await counted({ clusterId: second, filter: {} })).toEqual([3, []])
    expect(await counted({ clusterId: second, filter: { groups: { anyOf: ['web'] } } })).toEqual([2, [ours.tenantId]])
    expect(await counted({})).toEqual([5, [ours.tenantId]])
    long.mockClear()
    const below = `{ clusters { nodes { id nodes(filter: { text: "edge" }) { totalCount } } } }`
    expect(JSON.stringify(await app.ask(ours.viewer, below))).toContain('"totalCount":3')
    expect(long).toHaveBeenCalledTimes(1)
    long.mockRestore()
  })

  test('filters that are too deep, too large or empty are refused', async () => {
    const deep = { not: { not: { not: { not: { not: { name: 'a' } } } } } }
    const large = { or: Array.from({ length: 50 }, () => ({ name: 'a', text: 'b' })) }
    for (const filter of [deep, large, { or: [] }, { status: [] }, { text: 'x'.repeat(256) }]) {
      const { errors } = await app.answer(ours.viewer, pageQuery, { filter })
      expect({ filter, errors }).toMatchObject({
        errors: [{ extensions: { code: expect.stringMatching(/BAD_USER|COMPLEX/) } }],
      })
    }
  })

  test('clusters, tenants and versions have orders and filters too', async () => {
    const answer = await app.ask(
      app.operator,
      `query ($ids: [UUID!]) {
        clusters(filter: { ids: $ids, not: { text: "second" } }) { nodes { id } }
        byVersion: clusters(filter: { ids: $ids }, orderBy: { field: VERSION, direction: DESC }) { nodes { id } }
        tenants(filter: { or: [{ text: "ours" }, { text: "theirs" }] }, orderBy: { field: CREATED, direction: DESC }) {
          totalCount }
        cluster(id: "${ours.clusterId}") { bundles(orderBy: { field: CREATED }) { totalCount } } }`,
      { ids: [ours.clusterId, second] },
    )
    expect(answer).toMatchObject({
      clusters: { nodes: [{ id: ours.clusterId }] },
      byVersion: { nodes: [{ id: ours.clusterId }, { id: second }] },
      tenants: { totalCount: 2 },
      cluster: { bundles: { totalCount: 1 } },
    })
  })

  interface Found {
    readonly search: {
      readonly hint: string | null
      readonly matches: readonly {
        readonly field: string
        readonly value: string
        readonly node: { name: string } | null
      }[]
    }
  }
  const search = async (token: string, text: string) =>
    (
      await app.ask<Found>(
        token,
        `query ($text: String!) { search(text: $text) { hint
          matches { field value node { name } cluster { id } tenant { id } } } }`,
        { text },
      )
    ).search

  test.each([
    ['edge-1', 'NAME', 'edge-1'],
    ['EDGE-1', 'NAME', 'edge-1'],
    ['50% DOOR', 'DESCRIPTION', 'Behind the 50% door'],
    ['10.42.0.9', 'ADDRESS', '10.42.0.9'],
    [' 10.42.0.9/16 ', 'ADDRESS', '10.42.0.9'],
    ['172.20.3.4', 'ROUTE', '172.20.0.0/16'],
    ['AB:12:CD', 'FINGERPRINT', 'ab12cd'.padEnd(64, '0')],
    ['ab12cd'.padEnd(64, '0').toUpperCase(), 'FINGERPRINT', 'ab12cd'.padEnd(64, '0')],
  ])('finds a node by %s, and why, but not that of another tenant', async (text, field, value) => {
    const { matches, hint } = await search(ours.viewer, text)
    expect(hint).toBeNull()
    const found = matches.filter(({ node }) => node?.name.startsWith('edge'))
    expect(found.map((match) => ({ ...match }))).toEqual([
      { field, value, node: { name: 'edge-1' }, cluster: null, tenant: null },
    ])
    expect((await search(ours.nodeToken, text)).matches.filter(({ node }) => node?.name.startsWith('edge'))).toEqual([])
  })

  test('finds a cluster by its id', async () => {
    expect((await search(ours.viewer, second.toUpperCase())).matches).toMatchObject([
      { field: 'ID', cluster: { id: second } },
    ])
    expect((await search(theirs.viewer, second)).matches).toEqual([])
  })

  test.each([
    ['', /Type a part/],
    ['00:1A:2B:3C:4D:5E', /MAC address/],
    ['fd00::1', /IPv4/],
    ['203.0.113.9', /No node has this overlay address/],
    ['10.42.0', /not a whole address/],
    ['10.42.0.999', /not a whole address/],
    ['f'.repeat(64), /fingerprint/],
    [randomUUID(), /id/],
    ['%edge', /Nothing/],
    ['no such thing \\', /Nothing/],
  ])('says what to do when nothing is found for “%s”', async (text, hint) => {
    const found = await search(theirs.nodeToken, text)
    expect(found).toEqual({ matches: [], hint: expect.stringMatching(hint) })
  })

  test('takes the same statements whatever it finds', async () => {
    const count = async (text: string) => {
      app.takeStatements()
      await search(ours.viewer, text)
      return app.takeStatements().length
    }
    expect(await count('nothing of that name')).toBeLessThanOrEqual(8)
    expect((await count('e')) - (await count('edge-1'))).toBeLessThanOrEqual(2)
  })
})
