import { randomBytes, randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { base64url } from 'jose'

import { mintJwt } from '../../src/auth/jwt.ts'
import { deriveKeys } from '../../src/auth/keys.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { createWorld, newNode, type World } from '../support/world.ts'

/** Everything of an answer but the one thing that is another each time. */
interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

describe.each(engines)('authentication on %s', (engine) => {
  let app: TestApp
  let world: World
  let gone: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'ours', randomUUID())
    gone = await createWorld(app, 'gone', randomUUID())
    await run('mutation ($id: UUID!) { deleteTenant(input: { id: $id }) { __typename } }', { id: gone.tenantId })
  })
  afterAll(() => app.close())

  const run = (mutation: string, variables: object) =>
    app.ask<Record<string, unknown>>(app.operator, mutation, variables)

  async function answerOf(path: string, authorization: string | null, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers)
    if (authorization !== null) headers.set('authorization', authorization)
    const response = await app.fetch(path, { ...init, headers })
    const id = response.headers.get('x-request-id') ?? 'none'
    const named = [...response.headers].map(([name, value]) => [name.toLowerCase(), value] as const)
    const given = named.filter(([name]) => name !== 'x-request-id')
    return {
      status: response.status,
      headers: Object.fromEntries(given),
      body: (await response.text()).replaceAll(id, '<id>'),
    }
  }
  const whoAmI = (authorization: string | null) =>
    answerOf('/graphql', authorization, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ viewer { __typename } }' }),
    })
  const refusal = { status: 401, headers: { 'www-authenticate': 'Bearer' } }

  const rotate = async (mutation: string, id: string) => {
    const answer = await run(`mutation ($id: UUID!) { ${mutation} }`, { id })
    return (Object.values(answer)[0] as { token: string }).token
  }
  const rotateNode = (id: string) =>
    rotate('rotateNodeToken(input: { nodeId: $id }) { ... on RotateNodeTokenPayload { token } }', id)
  const rotateCluster = (id: string) =>
    rotate('rotateClusterToken(input: { clusterId: $id }) { ... on RotateClusterTokenPayload { token } }', id)
  const unsigned = (claims: object) =>
    `${base64url.encode(JSON.stringify({ alg: 'none' }))}.${base64url.encode(JSON.stringify(claims))}.`
  const hour = { subject: 'olga', lifetime: 3600 }

  const failures: readonly (readonly [string, () => string | Promise<string>])[] = [
    ['another scheme', () => 'Basic b2xnYTpzZWNyZXQ='],
    ['a scheme alone', () => 'Bearer'],
    ['nothing behind the scheme', () => 'Bearer  '],
    ['a token without a scheme', () => world.nodeToken],
    ['another scheme before a good token', () => `Token ${world.nodeToken}`],
    ['two good tokens', () => `Bearer ${world.nodeToken} ${world.adminNodeToken}`],
    ['two good tokens in two headers', () => `Bearer ${world.nodeToken}, Bearer ${world.nodeToken}`],
    ['an unknown node token', () => `Bearer orn_${randomBytes(32).toString('base64url')}`],
    ['an unknown cluster token', () => `Bearer orc_${randomBytes(32).toString('base64url')}`],
    ['a node token as if it were a cluster’s', () => `Bearer ${world.nodeToken.replace('orn_', 'orc_')}`],
    ['a cluster token as if it were a node’s', () => `Bearer ${world.clusterToken.replace('orc_', 'orn_')}`],
    ['a truncated node token', () => `Bearer ${world.nodeToken.slice(0, -1)}`],
    ['a node token with something behind it', () => `Bearer ${world.nodeToken}A`],
    ['a node token with its last character changed', () => `Bearer ${changed(world.nodeToken)}`],
    ['a node token without its prefix', () => `Bearer ${world.nodeToken.slice(4)}`],
    ['the hash that the database holds', async () => `Bearer orn_${(await nodeRow()).tokenHash.slice(0, 43)}`],
    ['a node’s id', () => `Bearer ${world.nodeId}`],
    ['the token of a deleted node', () => deletedNode()],
    ['a node token that was rotated', async () => oldToken(await newNode(app, world))],
    ['a cluster token that was rotated', () => oldClusterToken()],
    ['a node token of a deleted tenant', () => `Bearer ${gone.adminNodeToken}`],
    ['a cluster token of a deleted tenant', () => `Bearer ${gone.clusterToken}`],
    ['a JWT of a deleted tenant', () => `Bearer ${gone.admin}`],
    ['a JWT of a tenant that never was', async () => `Bearer ${await app.tenantToken(randomUUID())}`],
    ['an expired JWT', async () => `Bearer ${await operatorJwt({ lifetime: -60 })}`],
    ['a JWT of another installation', async () => `Bearer ${await operatorJwt({ secret: 'x'.repeat(32) })}`],
    ['a truncated JWT', () => `Bearer ${app.operator.slice(0, -1)}`],
    [
      'a JWT without a signature',
      () => `Bearer ${unsigned({ iss: 'orrery', aud: 'orrery', orrery_role: 'operator' })}`,
    ],
    ['a header that is longer than any credential', () => `Bearer ${'a'.repeat(9000)}`],
    ['a good token behind very many blanks', () => `Bearer ${' '.repeat(9000)}${world.nodeToken}`],
    ['letters that no credential has', () => 'Bearer tök€n'.replace('€', '©')],
  ]

  const nodeRow = () => app.database.client.node.findUniqueOrThrow({ where: { id: world.nodeId } })
  const changed = (token: string) => `${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`
  const operatorJwt = ({ lifetime = 3600, secret = '' }) =>
    mintJwt(secret === '' ? app.keys.jwt : deriveKeys(secret).jwt, { role: 'operator' }, { subject: 'olga', lifetime })
  async function deletedNode() {
    const { id, token } = await newNode(app, world)
    expect((await whoAmI(`Bearer ${token}`)).status).toBe(200)
    await run('mutation ($id: UUID!) { deleteNode(input: { nodeId: $id }) { __typename } }', { id })
    return `Bearer ${token}`
  }
  async function oldToken({ id, token }: { id: string; token: string }) {
    expect((await whoAmI(`Bearer ${token}`)).status).toBe(200)
    const next = await rotateNode(id)
    expect((await whoAmI(`Bearer ${next}`)).body).toContain('"Node"')
    return `Bearer ${token}`
  }
  async function oldClusterToken() {
    const first = await rotateCluster(world.clusterId)
    expect((await whoAmI(`Bearer ${first}`)).body).toContain('"EnrollingMachine"')
    const next = await rotateCluster(world.clusterId)
    expect((await whoAmI(`Bearer ${next}`)).body).toContain('"EnrollingMachine"')
    return `Bearer ${first}`
  }

  test.each(failures)('%s gets the answer that no credential at all gets, byte for byte', async (_name, header) => {
    const authorization = await header()
    app.takeLog()
    const anonymous = await whoAmI(null)
    expect(anonymous).toMatchObject(refusal)
    expect(anonymous.body).toContain('"UNAUTHENTICATED"')
    expect(await whoAmI(authorization)).toEqual(anonymous)
    for (const path of ['/bundle', `/clusters/${world.clusterId}/bundles/1000`]) {
      const without = await answerOf(path, null)
      expect(without).toMatchObject(refusal)
      expect(await answerOf(path, authorization)).toEqual(without)
    }
    expect(app.takeLog().filter(({ level }) => level > 20)).toEqual([])
  })

  test.each([
    ['an operator’s JWT', () => app.operator, 'Operator'],
    ['a tenant admin’s JWT', () => world.admin, 'TenantAdmin'],
    ['a viewer’s JWT', () => world.viewer, 'TenantAdmin'],
    ['a node token', () => world.nodeToken, 'Node'],
    ['an admin node’s token', () => world.adminNodeToken, 'Node'],
  ])('%s is recognised, however the scheme is written', async (_name, token, type) => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  ']) {
      expect((await whoAmI(`${scheme} ${token()}`)).body).toContain(`"${type}"`)
    }
  })

  test('a token that is rotated ends with the next request, also where requests run beside each other', async () => {
    const { id, token } = await newNode(app, world)
    await Promise.all(Array.from({ length: 10 }, () => whoAmI(`Bearer ${token}`)))
    await rotateNode(id)
    const after = await Promise.all(Array.from({ length: 10 }, () => whoAmI(`Bearer ${token}`)))
    expect(after.map(({ status }) => status)).toEqual(Array(10).fill(401))
  })

  test('no column of any table holds a token, nor the bytes in it', async () => {
    const rotated = await rotateNode((await newNode(app, world)).id)
    const cluster = await rotateCluster(world.clusterId)
    const stored = await everythingStored()
    const { tokenHash } = await nodeRow()
    expect(stored).toContain(tokenHash)
    expect(app.tokens.hash(world.nodeToken as never)).toBe(tokenHash)
    for (const token of [world.nodeToken, world.adminNodeToken, world.clusterToken, rotated, cluster]) {
      const bytes = Buffer.from(token.slice(4), 'base64url')
      for (const form of [token.slice(4), bytes.toString('hex'), bytes.toString('base64'), bytes.toString('latin1')]) {
        expect(stored).not.toContain(form)
      }
    }
  })

  test('no line of the log holds a credential, good or bad', async () => {
    app.takeLog()
    const bad = ['orn_', 'orc_'].map((prefix) => `${prefix}${randomBytes(32).toString('base64url')}`)
    const jwt = await mintJwt(deriveKeys('y'.repeat(32)).jwt, { role: 'operator' }, hour)
    const credentials = [
      app.operator,
      world.admin,
      world.nodeToken,
      await rotateNode((await newNode(app, world)).id),
      ...bad,
      jwt,
    ]
    for (const credential of credentials) {
      await whoAmI(`Bearer ${credential}`)
      await answerOf(`/bundle/${credential}?token=${credential}`, `Bearer ${credential}`)
    }
    const log = JSON.stringify(app.takeLog())
    expect(log).toContain('/bundle/')
    for (const credential of credentials) expect(log).not.toContain(credential)
  })

  test.each([
    ['a node', () => world.nodeToken, 'nodes', 'idx_nodes_token_hash'],
    ['an enrolling machine', () => rotateCluster(world.clusterId), 'clusters', 'idx_clusters_token_hash'],
  ])('%s is looked up in one statement along the unique index of hashes', async (_name, token, table, index) => {
    const credential = await token()
    app.takeStatements()
    await answerOf('/bundle', `Bearer ${credential}`)
    const statements = app.takeStatements().filter((sql) => sql.includes('token_hash'))
    expect(statements).toHaveLength(1)
    expect(await planOf(statements[0] ?? '')).toContain(index)
    expect(await uniqueIndexes(table)).toContain(index)
  })

  /** All values of all tables, as one text. */
  async function everythingStored(): Promise<string> {
    const tables = ['tenants', 'clusters', 'cluster_state', 'replicas', 'nodes', 'config_bundles', '_prisma_migrations']
    const rows = await Promise.all(
      tables.map((table) => app.database.client.$queryRawUnsafe<object[]>(`SELECT * FROM ${table}`)),
    )
    const texts = rows.flat().flatMap((row) => Object.values(row).map(textOf))
    expect(texts.length).toBeGreaterThan(100)
    return texts.join('\n')
  }

  /** How the engine runs a statement; where a table is small PostgreSQL would rather read it whole. */
  async function planOf(statement: string): Promise<string> {
    const { client } = app.database
    const places = statement.match(engine === 'sqlite' ? /\?/g : /\$\d/g) ?? []
    const values = places.map(() => (engine === 'sqlite' ? '["hash"]' : ['hash']))
    return client.$transaction(async (tx) => {
      if (engine === 'postgresql') await tx.$executeRawUnsafe('SET LOCAL enable_seqscan = off')
      const explain = engine === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'
      return JSON.stringify(await tx.$queryRawUnsafe(`${explain} ${statement}`, ...values), bigIntAsText)
    })
  }

  async function uniqueIndexes(table: string): Promise<string[]> {
    const rows = await app.database.client.$queryRawUnsafe<{ name: string }[]>(
      engine === 'sqlite'
        ? `SELECT name FROM pragma_index_list('${table}') WHERE "unique" = 1`
        : `SELECT indexname AS name FROM pg_indexes WHERE tablename = '${table}' AND indexdef LIKE 'CREATE UNIQUE%'`,
    )
    return rows.map(({ name }) => name)
  }
})

function textOf(value: unknown): string {
  if (value instanceof Uint8Array)
    return `${Buffer.from(value).toString('latin1')} ${Buffer.from(value).toString('hex')}`
  return typeof value === 'string' ? value : JSON.stringify(value, bigIntAsText)
}

const bigIntAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
