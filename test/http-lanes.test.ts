import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import type { TestApp } from './support/app.ts'
import { posted, startLanes, type Asked, type Lanes } from './support/lanes.ts'
import type { World } from './support/world.ts'

const poll = '{ viewer { __typename ... on Node { name cluster { configVersion } } } }'

/** By the socket and by `fetch`, which takes the usual way. */
const served = { short: { short: 1, usual: 1 }, usual: { short: 0, usual: 2 } }

describe('plain requests take a shorter way to the same answers', () => {
  let lanes: Lanes
  let app: TestApp
  let world: World
  beforeAll(async () => {
    lanes = await startLanes()
    app = lanes.app
    world = lanes.world
  })
  afterAll(() => lanes.close())
  const both = async (asked: Asked) => [await lanes.bySocket(asked), await lanes.byFetch(asked)] as const

  const node = () => world.nodeToken
  /** What is asked, and which way by the socket answers it. */
  const cases: [string, keyof typeof served, () => Asked][] = [
    ['a poll', 'short', () => ({ ...posted({ query: poll }), token: node() })],
    [
      'variables and a name',
      'short',
      () => ({
        ...posted({
          query: 'query A($id: UUID!) { node(id: $id) { name } } query B { viewer { __typename } }',
          operationName: 'A',
          variables: { id: world.nodeId },
        }),
        token: node(),
      }),
    ],
    [
      'nulls where nothing is',
      'short',
      () => ({ ...posted({ query: poll, variables: null, operationName: null }), token: node() }),
    ],
    [
      'graphql-response+json',
      'short',
      () => ({ ...posted({ query: poll }, { accept: 'application/graphql-response+json' }), token: node() }),
    ],
    ['json alone', 'short', () => ({ ...posted({ query: poll }, { accept: 'application/json' }), token: node() })],
    [
      'a list of media types',
      'usual',
      () => ({ ...posted({ query: poll }, { accept: 'text/html, application/json;q=0.5' }), token: node() }),
    ],
    [
      'a media type that there is not',
      'usual',
      () => ({ ...posted({ query: poll }, { accept: 'text/html' }), token: node() }),
    ],
    ['nobody', 'usual', () => posted({ query: poll })],
    ['an unknown token', 'usual', () => ({ ...posted({ query: poll }), token: `orn_${'a'.repeat(43)}` })],
    [
      'an enrolling machine',
      'short',
      () => ({ ...posted({ query: '{ viewer { __typename } }' }), token: world.clusterToken }),
    ],
    [
      'a field that is not for this caller',
      'short',
      () => ({ ...posted({ query: '{ replicas { id } }' }), token: node() }),
    ],
    [
      'a field that is refused, as graphql-response+json',
      'short',
      () => ({
        ...posted({ query: '{ replicas { id } }' }, { accept: 'application/graphql-response+json' }),
        token: node(),
      }),
    ],
    [
      'a mutation that is refused',
      'short',
      () => ({
        ...posted({
          query:
            'mutation { updateNodeMtu(input: { nodeId: "%", mtu: 3 }) { __typename ... on Error { message } } }'.replace(
              '%',
              world.nodeId,
            ),
        }),
        token: world.admin,
      }),
    ],
    [
      'a bad variable',
      'short',
      () => ({
        ...posted({ query: 'query ($id: UUID!) { node(id: $id) { id } }', variables: { id: 'x' } }),
        token: node(),
      }),
    ],
    [
      'a missing variable',
      'short',
      () => ({ ...posted({ query: 'query ($id: UUID!) { node(id: $id) { id } }' }), token: node() }),
    ],
    [
      'a query that is too complex',
      'short',
      () => ({
        ...posted({
          query:
            '{ tenants(first: 500) { nodes { clusters(first: 500) { nodes { nodes(first: 500) { nodes { id } } } } } } }',
        }),
        token: app.operator,
      }),
    ],
    [
      'too many aliases',
      'usual',
      () => ({
        ...posted({ query: `{ ${Array.from({ length: 40 }, (_, at) => `a${at}: viewer { __typename }`).join(' ')} }` }),
        token: node(),
      }),
    ],
    ['introspection by nobody', 'usual', () => posted({ query: '{ __schema { queryType { name } } }' })],
    ['introspection', 'short', () => ({ ...posted({ query: '{ __schema { queryType { name } } }' }), token: node() })],
    ['an unknown field', 'usual', () => ({ ...posted({ query: '{ viewr { id } }' }), token: node() })],
    ['an unknown field, by nobody', 'usual', () => posted({ query: '{ viewr { id } }' })],
    ['no GraphQL', 'usual', () => ({ ...posted({ query: '{ viewer ' }), token: node() })],
    [
      'no operation of that name',
      'usual',
      () => ({ ...posted({ query: poll, operationName: 'Other' }), token: node() }),
    ],
    [
      'two operations and no name',
      'usual',
      () => ({ ...posted({ query: `query A ${poll} query B ${poll}` }), token: node() }),
    ],
    ['no query', 'usual', () => ({ ...posted({}), token: node() })],
    ['an empty query', 'usual', () => ({ ...posted({ query: '' }), token: node() })],
    ['a query that is none', 'usual', () => ({ ...posted({ query: 7 }), token: node() })],
    ['variables that are none', 'usual', () => ({ ...posted({ query: poll, variables: [1] }), token: node() })],
    ['an unknown parameter', 'usual', () => ({ ...posted({ query: poll, extra: 1 }), token: node() })],
    ['extensions', 'usual', () => ({ ...posted({ query: poll, extensions: { a: 1 } }), token: node() })],
    ['a list of operations', 'usual', () => ({ ...posted([{ query: poll }]), token: node() })],
    ['no JSON', 'usual', () => ({ ...posted({}), body: '{"query":', token: node() })],
    ['no UTF-8', 'usual', () => ({ ...posted({}), body: Buffer.from([0x7b, 0xff, 0x7d]), token: node() })],
    ['no body', 'usual', () => ({ ...posted({}), body: '', token: node() })],
    [
      'a body at the limit',
      'short',
      () => ({ ...posted({}), body: JSON.stringify({ query: poll }).padEnd(100_000), token: node() }),
    ],
    [
      'a body above the limit',
      'usual',
      () => ({ ...posted({}), body: JSON.stringify({ query: poll }).padEnd(100_001), token: node() }),
    ],
    [
      'another content type',
      'usual',
      () => ({ ...posted({ query: poll }, { 'content-type': 'text/plain' }), token: node() }),
    ],
    [
      'a compressed body',
      'usual',
      () => ({ ...posted({ query: poll }, { 'content-encoding': 'gzip' }), token: node() }),
    ],
    [
      'a charset',
      'short',
      () => ({ ...posted({ query: poll }, { 'content-type': 'application/json; charset=utf-8' }), token: node() }),
    ],
    [
      'another origin',
      'usual',
      () => ({ ...posted({ query: poll }, { origin: 'https://elsewhere.example' }), token: node() }),
    ],
    [
      'a mutation by GET',
      'usual',
      () => ({
        path: `/graphql?query=${encodeURIComponent('mutation { pruneStaleReplicas { __typename } }')}`,
        token: app.operator,
        headers: { 'x-orrery-csrf': '1' },
      }),
    ],
    ['a query in the address', 'usual', () => ({ ...posted({ query: poll }), path: '/graphql?a=1', token: node() })],
    ['a slice', 'short', () => ({ path: '/bundle', token: node() })],
    [
      'a slice that is known',
      'short',
      () => ({ path: '/bundle', token: node(), headers: { 'if-none-match': '"1", W/"2", *' } }),
    ],
    [
      'a slice of another version',
      'short',
      () => ({ path: '/bundle', token: node(), headers: { 'if-none-match': '"1"' } }),
    ],
    ['a slice for nobody', 'short', () => ({ path: '/bundle' })],
    ['a slice for an admin', 'short', () => ({ path: '/bundle', token: world.admin })],
    ['a slice for a node without a certificate', 'short', () => ({ path: '/bundle', token: world.adminNodeToken })],
    ['the head of a slice', 'usual', () => ({ method: 'HEAD', path: '/bundle', token: node() })],
    ['a slice that is posted', 'usual', () => ({ method: 'POST', path: '/bundle', token: node() })],
  ]

  test.each(cases)('%s', async (_name, way, asked) => {
    lanes.takeServed()
    const [socket, fetched] = await both(asked())
    expect(socket).toEqual(fetched)
    expect(lanes.takeServed()).toEqual(served[way])
  })

  test('a resolver that fails is masked and logged, with the id that the caller is told', async () => {
    const { replica } = app.database.client
    const findMany: unknown = Reflect.get(replica, 'findMany')
    Object.assign(replica, { findMany: () => Promise.reject(new Error('the disk is gone')) })
    app.takeLog()
    const asked = { ...posted({ query: '{ replicas { id } }' }), token: app.operator }
    const [socket, fetched] = await both(asked)
    Object.assign(replica, { findMany })
    expect(socket).toEqual(fetched)
    expect(socket.body).toContain('INTERNAL_SERVER_ERROR')
    expect(socket.body).not.toContain('disk')
    expect(app.takeLog().filter((line) => JSON.stringify(line).includes('the disk is gone'))).toHaveLength(2)
  })

  test('a database that fails is masked for the shelf as well', async () => {
    const fault = () => Promise.reject(new Error('the disk is gone'))
    const { rows } = app.operatorScope
    const find: unknown = Reflect.get(rows, 'find')
    Object.assign(rows, { find: fault })
    const asked = { path: '/bundle', token: node() }
    const [socket, fetched] = await both(asked)
    Object.assign(rows, { find })
    expect(socket).toEqual(fetched)
    expect(socket.status).toBe(500)
  })

  test('each request has its line in the log, without its query', async () => {
    app.takeLog()
    await lanes.bySocket({ ...posted({ query: poll }), token: node() })
    const [line] = app.takeLog().filter(({ msg }) => msg === 'request')
    expect(line).toMatchObject({ method: 'POST', path: '/graphql', status: 200, caller: 'node' })
    expect(JSON.stringify(line)).not.toContain('viewer')
  })
})
