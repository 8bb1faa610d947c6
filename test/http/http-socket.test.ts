import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { posted, startServed, type Asked, type Served } from '../support/socket.ts'

const poll = '{ viewer { __typename ... on Node { name cluster { configVersion } } } }'
const inAddress = (query: string) => `/graphql?query=${encodeURIComponent(query)}`
const csrf = { 'x-orrery-csrf': '1' }

describe('what most tests ask without a socket is what a socket answers, byte by byte', () => {
  let served: Served
  beforeAll(async () => {
    served = await startServed({ corsOrigins: ['https://admin.example.com'] })
  })
  afterAll(() => served.close())

  const node = () => served.world.nodeToken
  const cases: [string, number, () => Asked][] = [
    ['a query', 200, () => ({ ...posted({ query: poll }), token: node() })],
    ['a query in the address', 200, () => ({ path: inAddress(poll), token: node(), headers: csrf })],
    ['a query that a browser may not send', 403, () => ({ path: inAddress(poll), token: node() })],
    ['the head of a query', 405, () => ({ method: 'HEAD', path: inAddress(poll), token: node(), headers: csrf })],
    [
      'a change in the address',
      405,
      () => ({ path: inAddress('mutation { pruneStaleReplicas { __typename } }'), token: node(), headers: csrf }),
    ],
    [
      'a query in the other media type',
      401,
      () => posted({ query: poll }, { accept: 'application/graphql-response+json' }),
    ],
    [
      'a query as an event',
      200,
      () => ({ ...posted({ query: poll }, { accept: 'text/event-stream' }), token: node() }),
    ],
    ['no media type', 406, () => ({ ...posted({ query: poll }, { accept: 'text/html' }), token: node() })],
    ['a mistake', 200, () => ({ ...posted({ query: '{ viewr { id } }' }), token: node() })],
    ['a name that is none', 400, () => ({ ...posted({ query: poll, operationName: 0 }), token: node() })],
    ['a field for others', 200, () => ({ ...posted({ query: '{ replicas { id } }' }), token: node() })],
    ['no UTF-8', 400, () => ({ ...posted({}), body: Buffer.from([0x7b, 0xff, 0x7d]), token: node() })],
    [
      'a byte order mark',
      200,
      () => ({ ...posted({}), body: `\uFEFF${JSON.stringify({ query: poll })}`, token: node() }),
    ],
    ['too much', 413, () => ({ ...posted({}), body: JSON.stringify({ query: poll }).padEnd(100_001), token: node() })],
    ['a slice', 200, () => ({ path: '/bundle', token: node() })],
    ['the head of a slice', 200, () => ({ method: 'HEAD', path: '/bundle', token: node() })],
    [
      'a slice that is known',
      304,
      () => ({ path: '/bundle', token: node(), headers: { 'if-none-match': '"1", W/"2", *' } }),
    ],
    ['a slice for nobody', 401, () => ({ path: '/bundle' })],
    ['a slice for an admin', 403, () => ({ path: '/bundle', token: served.world.admin })],
    ['a slice for a node without one', 404, () => ({ path: '/bundle', token: served.world.adminNodeToken })],
    ['a page of a listed origin', 200, () => ({ path: '/healthz', headers: { origin: 'https://admin.example.com' } })],
    ['an address in another form', 200, () => ({ path: '/bundle/../healthz?a=1' })],
    ['no address of ours', 404, () => ({ path: '//healthz' })],
  ]

  test.each(cases)('%s: %i', async (_name, status, asked) => {
    const seen = await served.bySocket(asked())
    expect(seen.status).toBe(status)
    expect(await served.byFetch(asked())).toEqual(seen)
  })
})
