import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../support/app.ts'
import { createWorld, type World } from '../support/world.ts'

interface Answer {
  readonly data?: Record<string, unknown> | null
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[]
  readonly extensions?: { readonly cost?: Record<string, unknown> }
}

const limits = { cost: 100_000, depth: 12, breadth: 500 }

describe('the cost of an operation', () => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp('sqlite', { introspection: 'everyone' })
    world = await createWorld(app, 'costly', randomUUID())
  })
  afterAll(() => app.close())

  const ask = async (
    query: string,
    { headers = { 'x-orrery-cost': '1' }, token = world.admin, ...more }: Asked = {},
  ) => {
    const response = await app.fetch('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify({ query, ...more }),
    })
    return (await response.json()) as Answer
  }
  interface Asked {
    readonly headers?: Record<string, string>
    readonly token?: string
    readonly variables?: object
    readonly operationName?: string
  }
  const page = 'query ($first: Int!) { clusters(first: $first) { nodes { id name } } }'

  test('is told to whoever asks for it, with the limits', async () => {
    // A page costs 1, and each of its rows 1 for the list and 2 for the values.
    const { data, extensions } = await ask(page, { variables: { first: 10 } })
    expect(data).toMatchObject({ clusters: { nodes: [{ name: 'costly-cluster' }] } })
    expect(extensions).toEqual({ cost: { cost: 31, depth: 3, breadth: 4, limits } })
    expect((await ask(page, { variables: { first: 20 } })).extensions?.cost).toMatchObject({ cost: 61 })
  })

  test('is told of a compiled query, too', async () => {
    for (let times = 0; times < 20; times += 1) {
      const { extensions } = await ask(page, { variables: { first: 10 } })
      expect(extensions?.cost).toMatchObject({ cost: 31 })
    }
  })

  test('is told of an operation that is refused because of it', async () => {
    const query = '{ clusters(first: 500) { nodes { nodes(first: 500) { nodes { id } } } } }'
    const { errors, extensions } = await ask(query)
    expect(errors?.[0]?.extensions?.code).toBe('QUERY_TOO_COMPLEX')
    expect(extensions?.cost).toMatchObject({ cost: 501_001, limits })
  })

  test('is that of the operation which is executed, with its fragments', async () => {
    const query = `query Small { viewer { ...who } } fragment who on Viewer { __typename }
      query Large { clusters(first: 100) { nodes { id } } }`
    const cost = async (operationName: string) => (await ask(query, { operationName })).extensions?.cost?.['cost']
    expect([await cost('Small'), await cost('Large')]).toEqual([2, 201])
  })

  test('is told of a mutation, where a dry run is what costs most', async () => {
    const cost = async (dryRun: boolean) => {
      const input = { nodeId: world.nodeId, mtu: 1400, dryRun }
      const query = `mutation ($input: UpdateNodeMtuInput!) { updateNodeMtu(input: $input) { __typename } }`
      return (await ask(query, { variables: { input } })).extensions?.cost?.['cost']
    }
    expect([await cost(false), await cost(true)]).toEqual([2, 15_001])
  })

  test('is not told where variables do not fit: the errors are as ever', async () => {
    const { errors, extensions } = await ask(page, { variables: { first: 'many' } })
    expect([errors?.length, extensions]).toEqual([1, undefined])
  })

  test('is not told unasked, nor to strangers', async () => {
    const variables = { first: 10 }
    expect(await ask(page, { variables, headers: {} })).not.toHaveProperty('extensions')
    expect(await ask(page, { variables, headers: { 'x-orrery-cost': '0' } })).not.toHaveProperty('extensions')
    expect(await ask('{ __typename }', { token: '' })).not.toHaveProperty('extensions')
  })
})
