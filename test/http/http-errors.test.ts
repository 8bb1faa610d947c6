import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type GraphqlAnswer, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { withNodeEnv } from '../support/environment.ts'
import { probeSchema } from '../support/probe-schema.ts'

const codeOf = (answer: GraphqlAnswer) => answer.errors?.[0]?.extensions?.code

describe('a fault of ours', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp('sqlite', { schema: probeSchema })
  })
  afterAll(() => app.close())

  test.each(['production', 'development', 'test'])('is masked with NODE_ENV=%s, and whole in the log', async (mode) => {
    app.takeLog()
    const query = '{ broken(secret: "orn_no-such-token-but-looks-like-one-0123456789a") }'
    const response = await withNodeEnv(mode, () =>
      app.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${app.operator}` },
        body: JSON.stringify({ query }),
      }),
    )
    const text = await response.text()
    const id = response.headers.get('x-request-id')
    expect(response.status).toBe(500)
    expect(JSON.parse(text)).toEqual({
      data: null,
      errors: [
        {
          message: expect.stringContaining(`Something went wrong`),
          locations: [{ line: 1, column: 3 }],
          path: ['broken'],
          extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: id },
        },
      ],
    })
    expect(text).not.toMatch(/SELECT|TypeError|\.ts|node_modules/)
    expect(JSON.parse(text)).toMatchObject({ errors: [{ message: expect.stringContaining(String(id)) }] })

    const lines = app.takeLog()
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 50,
        requestId: id,
        path: 'broken',
        error: expect.objectContaining({
          type: 'TypeError',
          message: 'SELECT nothing FROM internals',
          stack: expect.stringContaining('probe-schema'),
        }),
      }),
    )
    expect(JSON.stringify(lines)).not.toContain('orn_')
  })

  test('beside data leaves the data, and the status 200', async () => {
    const answer = await app.answer(app.operator, '{ hello limping }')
    expect(answer).toMatchObject({ status: 200, data: { hello: 'Hello you', limping: null } })
    expect(codeOf(answer)).toBe('INTERNAL_SERVER_ERROR')
  })

  test('is also a resolver’s value that is not of its type: the value is not told', async () => {
    const answer = await app.answer(app.operator, '{ badValue }')
    expect(codeOf(answer)).toBe('INTERNAL_SERVER_ERROR')
    expect(JSON.stringify(answer)).not.toContain('internal text')
  })

  test('in a stream of events is masked, too', async () => {
    app.takeLog()
    const response = await app.fetch('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${app.operator}`,
      },
      body: JSON.stringify({ query: 'subscription { ticks }' }),
    })
    const text = await response.text()
    expect(text).toContain('"ticks":1')
    expect(text).toContain('INTERNAL_SERVER_ERROR')
    expect(text).not.toContain('SELECT')
    expect(app.takeLog()).toContainEqual(expect.objectContaining({ level: 50, msg: 'request failed' }))
  })
})

describe.each(engines)('a database that fails, on %s', (engine) => {
  test('is masked wherever it shows: in a field, in authentication', async () => {
    const app = await startApp(engine)
    try {
      const node = app.tokens.newNodeToken().token
      for (const table of ['nodes', 'clusters']) {
        await app.database.client.$executeRawUnsafe(`ALTER TABLE ${table} RENAME TO lost_${table}`)
      }
      app.takeLog()
      const answers = [
        await app.answer(app.operator, '{ clusters { nodes { id } } }'),
        await app.answer(node, '{ __typename }'),
      ]
      const download = await app.fetch('/bundle', { headers: { authorization: `Bearer ${node}` } })
      answers.push({ ...((await download.json()) as GraphqlAnswer), status: download.status })
      const lines = app.takeLog()
      for (const answer of answers) {
        const { requestId } = answer.errors?.[0]?.extensions ?? {}
        expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 500, code: 'INTERNAL_SERVER_ERROR' })
        expect(JSON.stringify(answer)).not.toMatch(/prisma|sql|table|relation|nodes.*exist|\.ts/i)
        const line = lines.find((one) => one.level === 50 && one.requestId === requestId)
        expect(line?.['error']).toMatchObject({ stack: expect.stringMatching(/clusters|nodes/) })
      }
      expect(JSON.stringify(lines)).not.toContain(node)
      expect(JSON.stringify(lines)).not.toContain(app.tokens.hash(node))
    } finally {
      await app.close()
    }
  })
})

describe('a mistake of the caller', () => {
  let app: TestApp
  let probe: TestApp
  beforeAll(async () => {
    app = await startApp('sqlite')
    probe = await startApp('sqlite', { schema: probeSchema })
  })
  afterAll(async () => {
    await app.close()
    await probe.close()
  })
  const ask = (query: string, variables: object = {}, accept = 'application/graphql-response+json') =>
    app.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${app.operator}` },
      body: JSON.stringify({ query, variables }),
    })

  test.each([
    ['a syntax error', '{ tenants {', {}, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{ planets }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'a variable of another type',
      'query ($n: Int) { tenants(first: $n) { totalCount } }',
      { n: 'x' },
      'BAD_USER_INPUT',
    ],
    ['a variable of another form', 'query ($i: UUID!) { tenant(id: $i) { id } }', { i: 'x' }, 'BAD_USER_INPUT'],
    ['a variable left out', 'query ($i: UUID!) { tenant(id: $i) { id } }', {}, 'BAD_USER_INPUT'],
    [
      'an operation that is not there',
      'query A { __typename } query B { __typename }',
      {},
      'OPERATION_RESOLUTION_FAILURE',
    ],
  ])('%s: HTTP 400 and its code', async (_name, query, variables, code) => {
    const response = await ask(query, variables)
    expect({ status: response.status, code: codeOf((await response.json()) as GraphqlAnswer) }).toEqual({
      status: 400,
      code,
    })
  })

  test('is not logged as a fault', async () => {
    app.takeLog()
    await ask('query ($i: UUID!) { tenant(id: $i) { id } }', { i: 'x' })
    expect(app.takeLog().filter(({ level }) => level > 20)).toEqual([])
  })

  test('null for an argument that takes none is told, not masked', async () => {
    const answer = await probe.answer(probe.operator, 'query ($n: [Int!]) { count(numbers: $n) }', { n: [null] })
    expect(codeOf(answer)).toBe('BAD_USER_INPUT')
  })

  test('signed-in callers are helped with names; others are told none, nor whether a document can be read', async () => {
    const signedIn = await app.answer(app.operator, '{ tenantz { id } }')
    expect(signedIn.errors?.[0]?.message).toMatch(/Did you mean|tenants?"/)
    const refusal = await app.answer(null, '{ tenants { totalCount } }')
    expect(codeOf(refusal)).toBe('UNAUTHENTICATED')
    const others = [
      '{ tenantz { id } }',
      '{ __typename }',
      '{ tenants {',
      '{hello'.repeat(5000),
      '{ __schema { types { name } } }',
    ]
    for (const query of others) expect(await app.answer(null, query)).toEqual({ ...refusal, path: undefined })
  })

  test('is answered alike however authentication failed: HTTP 401, UNAUTHENTICATED', async () => {
    const { token } = app.tokens.newNodeToken()
    const jwt = app.operator.replace(/.{4}$/, 'AAAA')
    const answers = await Promise.all(
      [null, token, jwt, 'x', app.tokens.newClusterToken().token].map((one) =>
        app.answer(one, '{ tenants { totalCount } }'),
      ),
    )
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(answers[0]).toMatchObject({ status: 401 })
    expect(answers.map(codeOf)).toEqual(answers.map(() => 'UNAUTHENTICATED'))
  })
})

describe('the log', () => {
  test('of a whole session holds no secret', async () => {
    const app = await startApp('sqlite')
    try {
      const created = await app.ask<{ createTenant: { tenant: { id: string } } }>(
        app.operator,
        'mutation { createTenant(input: { name: "Quiet" }) { ... on CreateTenantPayload { tenant { id } } } }',
      )
      const admin = await app.tenantToken(created.createTenant.tenant.id)
      const { createCluster } = await app.ask<{ createCluster: { token: string; cluster: { id: string } } }>(
        admin,
        `mutation { createCluster(input: { name: "silent-name" }) {
          ... on CreateClusterPayload { token cluster { id } } } }`,
      )
      const { createNode } = await app.ask<{ createNode: { token: string } }>(
        admin,
        `mutation ($clusterId: UUID!) { createNode(input: { clusterId: $clusterId, name: "silent-node" }) {
          ... on CreateNodePayload { token } } }`,
        { clusterId: createCluster.cluster.id },
      )
      const secrets = [app.operator, admin, createCluster.token, createNode.token]
      for (const secret of secrets) {
        await app.answer(secret, '{ viewer { __typename } }')
        await app.fetch(`/graphql?query={viewer{__typename}}&token=${secret}`)
        await app.fetch(`/${secret}`)
        await app.answer(null, `{ viewer(token: "${secret}") }`)
        await app.answer(secret, 'query ($t: UUID!) { tenant(id: $t) { id } }', { t: secret })
      }
      await app.database.client.$executeRawUnsafe('ALTER TABLE nodes RENAME TO lost_nodes')
      for (const secret of secrets) {
        await app.answer(secret, '{ clusters { nodes { nodes { totalCount } } } }')
        await app.answer(
          admin,
          `query ($s: String) { clusters(filter: { name: $s }) { nodes { nodes { totalCount } } } }`,
          {
            s: secret,
          },
        )
      }
      const lines = app.takeLog()
      expect(lines.length).toBeGreaterThan(20)
      expect(lines.some(({ level }) => level === 50)).toBe(true)
      const text = JSON.stringify(lines)
      for (const secret of secrets) {
        expect(text).not.toContain(secret)
        expect(text).not.toContain(secret.slice(-20))
      }
      expect(text).not.toContain('silent-')
    } finally {
      await app.close()
    }
  })

  test('has one line a request, with who asked and how it went', async () => {
    const app = await startApp('sqlite')
    try {
      app.takeLog()
      const response = await app.fetch('/graphql?query={__typename}', {
        headers: { 'x-orrery-csrf': '1', authorization: `Bearer ${app.operator}` },
      })
      expect(app.takeLog()).toEqual([
        expect.objectContaining({
          level: 20,
          requestId: response.headers.get('x-request-id'),
          method: 'GET',
          path: '/graphql',
          status: 200,
          caller: 'operator',
          ms: expect.any(Number),
        }),
      ])
    } finally {
      await app.close()
    }
  })
})
