import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../support/app.ts'
import { createNode, createWorld, type World } from '../support/world.ts'

/** Often enough for a query to be compiled, and to be asked as a compiled one. */
const times = 14

describe('a query that is asked again and again', () => {
  let app: TestApp
  let world: World
  let foreign: World
  beforeAll(async () => {
    app = await startApp('sqlite')
    world = await createWorld(app, 'again', randomUUID())
    foreign = await createWorld(app, 'foreign', randomUUID())
    for (const name of ['one', 'two', 'three']) await createNode(app, world.admin, { clusterId: world.clusterId, name })
  })
  afterAll(() => app.close())

  interface Asked {
    readonly token: string
    readonly query: string
    readonly variables?: object
  }
  const page = `query Page($id: UUID!, $first: Int!, $after: String, $more: Boolean = true) {
    nodes(clusterId: $id, first: $first, after: $after) {
      totalCount nodes { ...some cluster @include(if: $more) { id name tenant { name } } } edges { cursor }
      pageInfo { hasNextPage endCursor } } }
    fragment some on Node { id label: name overlayIp groups routes isLighthouse createdAt certificateExpiresAt lastSeenAt }`
  const cases: [string, () => Asked][] = [
    [
      'who one is',
      () => ({
        token: world.nodeToken,
        query: '{ viewer { __typename ... on Node { name cluster { latestBundleVersion } } } }',
      }),
    ],
    ['a page', () => ({ token: world.admin, query: page, variables: { id: world.clusterId, first: 2 } })],
    [
      'a page with less in it',
      () => ({ token: world.admin, query: page, variables: { id: world.clusterId, first: 2, more: false } }),
    ],
    [
      'three levels of lists',
      () => ({
        token: app.operator,
        query:
          '{ tenants { nodes { name clusters { nodes { name firewall { inbound { port proto host } } nodes { totalCount nodes { name } } bundles { nodes { version createdBy { name } } } latestBundle { message } } } } } }',
      }),
    ],
    [
      'the schema',
      () => ({
        token: world.nodeToken,
        query: '{ __type(name: "Node") { name fields { name type { kind ofType { name } } } } }',
      }),
    ],
    [
      'a row that is not there',
      () => ({
        token: world.admin,
        query: 'query ($id: UUID!) { node(id: $id) { name } }',
        variables: { id: randomUUID() },
      }),
    ],
    [
      'a variable of another form',
      () => ({
        token: world.admin,
        query: 'query ($id: UUID!) { node(id: $id) { name mtu } }',
        variables: { id: 'x' },
      }),
    ],
    [
      'a variable that is missing',
      () => ({ token: world.admin, query: 'query ($id: UUID!) { node(id: $id) { name isAdmin } }' }),
    ],
    [
      'a field that is for others',
      () => ({ token: world.nodeToken, query: '{ viewer { __typename } replicas { id } }' }),
    ],
    [
      'a page that is too large',
      () => ({ token: world.admin, query: page, variables: { id: world.clusterId, first: 501 } }),
    ],
    [
      'lists that are too large together',
      () => ({
        token: app.operator,
        query:
          'query ($n: Int) { tenants(first: $n) { nodes { clusters(first: $n) { nodes { nodes(first: $n) { nodes { name } } } } } } }',
        variables: { n: 400 },
      }),
    ],
    [
      'a cursor that is none',
      () => ({ token: world.admin, query: page, variables: { id: world.clusterId, first: 2, after: 'x' } }),
    ],
  ]

  test.each(cases)('%s: answered the same each time, and others as if it were new', async (_name, asked) => {
    const { token, query, variables = {} } = asked()
    const others = [null, world.clusterToken, world.viewer, foreign.admin, foreign.nodeToken]
    const answers = () => Promise.all(others.map((other) => app.answer(other, query, variables)))
    const before = await answers()
    const first = await app.answer(token, query, variables)
    for (let time = 1; time < times; time += 1) expect(await app.answer(token, query, variables)).toEqual(first)
    expect(await answers()).toEqual(before)
  })

  test('is answered with what is true now', async () => {
    const version = async () => {
      const { viewer } = await app.ask<{ viewer: { cluster: { configVersion: number } } }>(
        world.nodeToken,
        '{ viewer { ... on Node { cluster { configVersion } } } }',
      )
      return viewer.cluster.configVersion
    }
    for (let time = 0; time < times; time += 1) await version()
    const before = await version()
    await app.database.client.cluster.update({
      where: { id: world.clusterId },
      data: { configVersion: { increment: 1 } },
    })
    expect(await version()).toBe(before + 1)
  })

  test('is executed once more by the interpreter when it fails, and not a third time', async () => {
    const query = '{ replicas { id } }'
    for (let time = 0; time < times; time += 1) await app.ask(app.operator, query)
    const { replica } = app.database.client
    const findMany: unknown = Reflect.get(replica, 'findMany')
    let failures = 0
    const fail = () => {
      failures += 1
      return Promise.reject(new Error('the disk is gone'))
    }
    Object.assign(replica, { findMany: fail })
    const answer = await app.answer(app.operator, query)
    Object.assign(replica, { findMany })
    expect(answer.errors?.map(({ extensions }) => extensions?.code)).toEqual(['INTERNAL_SERVER_ERROR'])
    expect(failures).toBe(2)
  })

  test('one document with other variables, callers and operations is another question', async () => {
    const query = `query A($id: UUID!) { node(id: $id) { name } } query B { viewer { __typename } }`
    const ask = async (token: string, operationName: string, id: string) => {
      const response = await app.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query, operationName, variables: { id } }),
      })
      return ((await response.json()) as { data: unknown }).data
    }
    for (let time = 0; time < times; time += 1) {
      expect(await ask(world.admin, 'A', world.nodeId)).toEqual({ node: { name: 'again-node' } })
      expect(await ask(world.admin, 'A', world.adminNodeId)).toEqual({ node: { name: 'again-admin-node' } })
      expect(await ask(world.admin, 'A', randomUUID())).toEqual({ node: null })
      expect(await ask(world.admin, 'B', world.nodeId)).toEqual({ viewer: { __typename: 'TenantAdmin' } })
      expect(await ask(world.nodeToken, 'B', world.nodeId)).toEqual({ viewer: { __typename: 'Node' } })
    }
  })

  test('a fault is masked and logged, each time once', async () => {
    const { replica } = app.database.client
    const findMany: unknown = Reflect.get(replica, 'findMany')
    Object.assign(replica, { findMany: () => Promise.reject(new Error('the disk is gone')) })
    for (let time = 0; time < times; time += 1) {
      app.takeLog()
      const { errors } = await app.answer(app.operator, '{ replicas { address } }')
      expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['INTERNAL_SERVER_ERROR'])
      expect(app.takeLog().filter((line) => JSON.stringify(line).includes('the disk is gone'))).toHaveLength(1)
    }
    Object.assign(replica, { findMany })
  })

  test('a mutation is made once, however often it was asked', async () => {
    const query =
      'mutation ($id: UUID!) { publishClusterConfig(input: { clusterId: $id }) { ... on PublishClusterConfigPayload { cluster { configVersion } } } }'
    const versions: unknown[] = []
    for (let time = 0; time < times; time += 1) {
      versions.push((await app.answer(world.admin, query, { id: world.clusterId })).data?.['publishClusterConfig'])
    }
    const numbers = versions.map((one) => (one as { cluster: { configVersion: number } }).cluster.configVersion)
    expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] ?? 0) + at))
  })
})
