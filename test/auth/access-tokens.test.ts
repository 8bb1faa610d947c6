import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, startBeside, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { openStream } from '../support/streams.ts'
import { createWorld, type World } from '../support/world.ts'

const day = 86_400_000
const inDays = (count: number) => new Date(Date.now() + count * day).toISOString()

interface Made {
  readonly token?: string
  readonly credential?: { readonly id: string; readonly lastFour: string; readonly createdBy: string }
  readonly message?: string
}

describe.each(engines)('access tokens on %s', (engine) => {
  let app: TestApp
  let server: Listening
  let ours: World
  let theirs: World
  beforeAll(async () => {
    app = await startApp(engine)
    server = await listen(app.app, { host: '127.0.0.1', port: 0 })
    ours = await createWorld(app, 'ours', randomUUID())
    theirs = await createWorld(app, 'theirs', randomUUID())
  })
  afterAll(async () => {
    await server.close()
    await app.close()
  })

  const make = async (caller: string, input: object): Promise<Made> => {
    const mutation = `mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
      ... on CreateAccessTokenPayload { token credential { id lastFour createdBy } } ... on Error { message } } }`
    const whole = { name: 'script', role: 'VIEWER', expiresAt: inDays(30), ...input }
    return (await app.ask<{ createAccessToken: Made }>(caller, mutation, { input: whole })).createAccessToken
  }
  const made = async (caller: string, input: object) => {
    const { token, credential, message } = await make(caller, input)
    if (token === undefined || credential === undefined) throw new Error(`no token was made: ${message}`)
    return { token, ...credential }
  }
  const revoke = async (caller: string, id: string) => {
    const mutation = `mutation ($id: UUID!) { revokeCredential(input: { id: $id }) {
      ... on RevokeCredentialPayload { credential { id } } ... on Error { __typename } } }`
    return (await app.ask<{ revokeCredential: object }>(caller, mutation, { id })).revokeCredential
  }
  const namesSeenBy = async (caller: string) => {
    const query = '{ credentials(first: 100) { edges { node { name } } totalCount } }'
    const { credentials } = await app.ask<{ credentials: { edges: { node: { name: string } }[] } }>(caller, query)
    return credentials.edges.map(({ node }) => node.name)
  }
  const viewer = async (token: string, at = app) => {
    const query =
      '{ viewer { __typename ... on Operator { subject } ... on TenantAdmin { subject role tenant { id } } } }'
    const { status, data } = await at.answer(token, query)
    return { status, viewer: data?.['viewer'] ?? null }
  }
  const nobody = { status: 401, viewer: null }

  test('a token is its holder’s role in its tenant, and only its hash is stored', async () => {
    const { token, lastFour, createdBy } = await made(ours.admin, { name: 'backup', role: 'VIEWER' })
    expect(token).toMatch(/^orp_[\w-]{43}$/)
    expect(token.endsWith(lastFour)).toBe(true)
    expect(createdBy).toMatch(/^admin /)
    const holder = { __typename: 'TenantAdmin', subject: 'backup', role: 'VIEWER', tenant: { id: ours.tenantId } }
    expect(await viewer(token)).toEqual({ status: 200, viewer: holder })
    expect(JSON.stringify(await app.database.client.credential.findMany())).not.toContain(token.slice(4))
    expect(await app.answer(token, '{ credentials { totalCount } }')).toMatchObject({ data: null })
    const operators = await made(app.operator, { name: 'robot', role: 'OPERATOR' })
    expect(await viewer(operators.token)).toMatchObject({ viewer: { __typename: 'Operator', subject: 'robot' } })
  })

  test('nobody makes a token that may do more than its maker', async () => {
    expect(await make(ours.admin, { role: 'OPERATOR' })).toEqual({ message: expect.stringMatching(/own tenant/) })
    expect(await make(ours.admin, { tenantId: theirs.tenantId })).toEqual({ message: expect.any(String) })
    expect(await make(app.operator, { role: 'OPERATOR', tenantId: ours.tenantId })).not.toHaveProperty('token')
    expect(await make(app.operator, { role: 'ADMIN' })).not.toHaveProperty('token')
    const short = await made(ours.admin, { role: 'ADMIN', expiresAt: inDays(2) })
    expect(await make(short.token, { expiresAt: inDays(3) })).toEqual({
      message: expect.stringMatching(/end of the token/),
    })
    expect(await make(short.token, { expiresAt: inDays(1) })).toHaveProperty('token')
  })

  test('a token ends within 366 days, and not in the past', async () => {
    expect(await make(ours.admin, { expiresAt: inDays(-1) })).not.toHaveProperty('token')
    expect(await make(ours.admin, { expiresAt: inDays(367) })).not.toHaveProperty('token')
    expect(await make(ours.admin, { expiresAt: inDays(365) })).toHaveProperty('token')
    const { token, id } = await made(ours.admin, {})
    await app.database.client.credential.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1000) } })
    expect(await viewer(token)).toEqual(nobody)
  })

  test('a tenant sees and revokes its own credentials, and no others', async () => {
    const own = await made(ours.admin, { name: 'of ours' })
    await made(theirs.admin, { name: 'of theirs' })
    await made(app.operator, { name: 'of operators', role: 'OPERATOR' })
    expect(await namesSeenBy(ours.admin)).toEqual(expect.arrayContaining(['of ours']))
    expect(await namesSeenBy(ours.admin)).not.toEqual(expect.arrayContaining(['of theirs']))
    expect(await namesSeenBy(ours.admin)).not.toEqual(expect.arrayContaining(['of operators']))
    expect(await namesSeenBy(app.operator)).toEqual(expect.arrayContaining(['of ours', 'of theirs', 'of operators']))
    expect(await revoke(theirs.admin, own.id)).toEqual({ __typename: 'NotFoundError' })
    expect(await viewer(own.token)).toMatchObject({ status: 200 })
  })

  test('a revoked token ends with the next request, and its streams at once; others go on', async () => {
    const [leaving, staying] = [
      await made(ours.admin, { name: 'leaving' }),
      await made(ours.admin, { name: 'staying' }),
    ]
    const query = 'subscription ($id: UUID!) { clusterChanged(clusterId: $id) { __typename } }'
    const asked = { query, variables: { id: ours.clusterId } }
    const stream = await openStream(server.url, leaving.token, asked)
    await stream.next()
    expect(await revoke(ours.admin, leaving.id)).toEqual({ credential: { id: leaving.id } })
    expect(await stream.next()).toBe('complete')
    expect(await viewer(leaving.token)).toEqual(nobody)
    expect(await revoke(ours.admin, leaving.id)).toEqual({ __typename: 'NotFoundError' })
    expect(await viewer(staying.token)).toMatchObject({ status: 200 })
  })

  test('a token is revoked on every instance', async () => {
    const other = await startBeside(app)
    const { token, id } = await made(ours.admin, {})
    expect(await viewer(token, other)).toMatchObject({ status: 200 })
    await revoke(ours.admin, id)
    expect(await viewer(token, other)).toEqual(nobody)
    await other.close()
  })

  test('a token is no session: signing out does not end it', async () => {
    const { token } = await made(app.operator, { role: 'OPERATOR' })
    const headers = { 'x-orrery-client': 'web', authorization: `Bearer ${token}` }
    const signOut = { method: 'POST', headers }
    expect((await app.fetch('/sign-out', signOut)).status).toBe(409)
    expect(await viewer(token)).toMatchObject({ status: 200 })
  })

  test('a row that says more than is enforced lets nobody in', async () => {
    for (const data of [
      { clusterIds: [] },
      { clusterIds: [7] },
      { scopes: ['nodes:eat'] },
      { scopes: [] },
      { role: null },
    ]) {
      const { token, id } = await made(ours.admin, {})
      await app.database.client.credential.update({ where: { id }, data })
      expect({ data, answer: await viewer(token) }).toEqual({ data, answer: nobody })
    }
  })
})
