import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { Strangers } from '../../src/http/pipeline/strangers.ts'
import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, startBeside, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { drained } from '../support/drained.ts'
import { openStream } from '../support/streams.ts'
import { createWorld } from '../support/world.ts'

const minutes = 60_000
const hours = 60 * minutes

interface Session {
  readonly token: string
  readonly expiresAt: string
}

/** A new session: its token is in the cookie, and nowhere else. */
async function sessionOf(response: Response): Promise<Session> {
  const { expiresAt, ...others } = (await response.json()) as { expiresAt: string }
  expect(others).toEqual({})
  const [, token = ''] = /^__Host-orrery-session=(ors_[\w-]{43}); /.exec(response.headers.get('set-cookie') ?? '') ?? []
  return { token, expiresAt }
}

const page = { 'x-orrery-client': 'web' }

describe.each(engines)('signing in by a link, on %s', (engine) => {
  let app: TestApp
  let server: Listening
  let passed = 0
  const now = () => Date.now() + passed
  beforeAll(async () => {
    app = await startApp(engine, { now })
    server = await listen(app.app, { host: '127.0.0.1', port: 0 })
  })
  afterAll(async () => {
    await server.close()
    await app.close()
  })

  const post = (body: unknown, headers: Record<string, string> = {}) =>
    app.fetch('/sign-in', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...page, ...headers },
      body: JSON.stringify(body),
    })
  const signIn = async (name = 'olga'): Promise<Session> => {
    const response = await post({ code: await app.signIns.makeLink(name) })
    expect(response.status).toBe(200)
    return sessionOf(response)
  }
  const signOut = (token: string) =>
    app.fetch('/sign-out', { method: 'POST', headers: { ...page, authorization: `Bearer ${token}` } })
  const viewer = (token: string, at = app) =>
    at.answer(token, '{ viewer { __typename ... on Operator { subject } } }').then(({ status, data }) => ({
      status,
      viewer: data?.['viewer'] ?? null,
    }))
  const olga = { status: 200, viewer: { __typename: 'Operator', subject: 'olga' } }
  const nobody = { status: 401, viewer: null }

  test('the code is exchanged for a session, whose token is a credential of an operator', async () => {
    const { token, expiresAt } = await signIn()
    expect(token).toMatch(/^ors_[\w-]{43}$/)
    expect(Math.abs(Date.parse(expiresAt) - now() - 7 * 24 * hours)).toBeLessThan(minutes)
    expect(await viewer(token)).toEqual(olga)
    // What is stored shows neither.
    const rows = JSON.stringify(await app.database.client.credential.findMany())
    expect(rows).not.toContain(token.slice(4))
  })

  test('of many who bring a code at once, exactly one gets a session', async () => {
    const code = await app.signIns.makeLink('olga')
    const before = await app.database.client.credential.count({ where: { kind: 'session' } })
    const answers = await Promise.all(Array.from({ length: 10 }, () => post({ code })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 401)])
    expect(await app.database.client.credential.count({ where: { kind: 'session' } })).toBe(before + 1)
  })

  test('a code that is used, old or made up gets one and the same answer', async () => {
    const used = await app.signIns.makeLink('olga')
    await post({ code: used })
    const old = await app.signIns.makeLink('olga')
    const good = await app.signIns.makeLink('olga')
    const { token } = await signIn()
    passed += 10 * minutes - 1000
    expect((await post({ code: good })).status).toBe(200)
    passed += 2000
    const unknown = `orl_${'x'.repeat(43)}`
    const answers: unknown[] = []
    for (const body of [{ code: used }, { code: old }, { code: unknown }, { code: token }, { code: 'x' }, {}, null]) {
      const response = await post(body)
      answers.push({ status: response.status, body: await response.text() })
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]).toEqual({ status: 401, body: expect.stringContaining('UNAUTHENTICATED') })
    expect(await viewer(old)).toEqual(nobody)
  })

  test('a session ends after twelve hours without a use, and after seven days in any case', async () => {
    const [idle, busy] = [await signIn(), await signIn()]
    passed += 12 * hours
    for (const { token } of [idle, busy]) expect(await viewer(token)).toEqual(olga)
    await app.flush()
    for (let half = 1; half < 14; half += 1) {
      passed += 12 * hours
      expect(await viewer(busy.token)).toEqual(half < 13 ? olga : nobody)
      await app.flush()
      // Last used a day ago.
      if (half === 2) expect(await viewer(idle.token)).toEqual(nobody)
    }
  })

  test('a session ends by signing out, and its streams with it; others go on', async () => {
    const world = await createWorld(app, randomUUID(), randomUUID())
    const [leaving, staying] = [await signIn(), await signIn('otto')]
    const query = 'subscription ($id: UUID!) { clusterChanged(clusterId: $id) { __typename } }'
    const asked = { query, variables: { id: world.clusterId } }
    const streams = [
      await openStream(server.url, leaving.token, asked),
      await openStream(server.url, staying.token, asked),
    ]
    for (const stream of streams) await stream.next()
    expect((await signOut(leaving.token)).status).toBe(204)
    expect(await streams[0]?.next()).toBe('complete')
    expect(await viewer(leaving.token)).toEqual(nobody)
    expect((await signOut(leaving.token)).status).toBe(401)
    expect(await viewer(staying.token)).toMatchObject({ status: 200 })
    const other = streams[1]?.next()
    await app.ask(
      staying.token,
      'mutation ($id: UUID!) { updateNodeMtu(input: { nodeId: $id, mtu: 1400 }) { __typename } }',
      { id: world.nodeId },
    )
    expect(await other).toMatchObject({ __typename: expect.stringMatching(/^Node|^Cluster/) })
    await streams[1]?.close()
    for (const token of [app.operator, world.admin, world.nodeToken, world.clusterToken]) {
      expect((await signOut(token)).status).toBe(409)
    }
  })

  test('a tenant’s person signs in as what the link says, is listed, signs out and is revoked', async () => {
    const world = await createWorld(app, randomUUID(), randomUUID())
    const { tenantId } = world
    const enter = async (role: 'admin' | 'viewer') => {
      const response = await post({ code: await app.signIns.makeLink('tina', { role, tenantId }) })
      return (await sessionOf(response)).token
    }
    const query = '{ viewer { __typename ... on TenantAdmin { subject role tenant { id } } } }'
    for (const role of ['admin', 'viewer'] as const) {
      const tina = { __typename: 'TenantAdmin', subject: 'tina', role: role.toUpperCase(), tenant: { id: tenantId } }
      expect(await app.ask(await enter(role), query)).toEqual({ viewer: tina })
    }
    const [admin, leaving] = [await enter('admin'), await enter('viewer')]
    expect((await signOut(leaving)).status).toBe(204)
    expect(await viewer(leaving)).toEqual(nobody)
    const list = '{ credentials(first: 100, filter: { kind: SESSION }) { edges { node { id role tenantId } } } }'
    const { credentials } = await app.ask<{ credentials: { edges: { node: { id: string; tenantId: string } }[] } }>(
      admin,
      list,
    )
    expect(credentials.edges).toHaveLength(3)
    expect(credentials.edges.every(({ node }) => node.tenantId === tenantId)).toBe(true)
    const revoke = 'mutation ($id: UUID!) { revokeCredential(input: { id: $id }) { __typename } }'
    for (const { node } of credentials.edges) await app.ask(app.operator, revoke, { id: node.id })
    expect(await viewer(admin)).toEqual(nobody)
  })

  test('a session is as good on every instance, and outlives the server that began it', async () => {
    const code = await app.signIns.makeLink('olga')
    const beside = await startBeside(app, { now })
    const body = JSON.stringify({ code })
    const headers = { 'content-type': 'application/json', ...page }
    const { token } = await sessionOf(await beside.fetch('/sign-in', { method: 'POST', headers, body }))
    await beside.close()
    expect(await viewer(token)).toEqual(olga)
  })

  test.each([
    ['another page', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a page of the same domain', { 'sec-fetch-site': 'same-site', origin: 'https://orrery.test' }, 403],
    ['a page that does not say what it is', { 'x-orrery-client': '' }, 403],
    ['this page without encryption', { 'sec-fetch-site': 'same-origin', origin: 'http://orrery.test' }, 403],
    ['another page in an old browser', { origin: 'https://evil.example' }, 403],
    ['a page without an origin', { origin: 'null' }, 403],
    ['a form', { 'content-type': 'text/plain' }, 415],
    ['this server’s own page', { 'sec-fetch-site': 'same-origin', origin: 'https://orrery.test' }, 200],
    ['this server’s own page in an old browser', { origin: 'https://orrery.test' }, 200],
  ])('%s signs in: %j is answered with %i', async (_who, headers: Record<string, string>, status) => {
    const code = await app.signIns.makeLink('olga')
    expect((await post({ code }, headers)).status).toBe(status)
    // Where it was refused, the code was not used up.
    expect((await post({ code })).status).toBe(status === 200 ? 401 : 200)
  })

  test('what is no code is refused before it is looked at', async () => {
    expect((await post({ code: 'x'.repeat(2000) })).status).toBe(413)
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...page }, body: '{' }
    expect((await app.fetch('/sign-in', init)).status).toBe(400)
    expect((await app.fetch('/sign-in?code=x')).status).toBe(405)
    expect(app.takeLog().filter(({ level }) => level > 30)).toEqual([])
  })

  test('a session is removed at its end, a link a day after its own, and nothing else', async () => {
    await app.database.client.credential.deleteMany()
    await app.signIns.makeLink('old')
    await signIn('gone')
    passed += 12 * hours + 3 * minutes
    await app.signIns.makeLink('fresh')
    await signIn('here')
    await drained(app.signIns.removeSpent())
    const kept = async () => {
      const rows = await app.database.client.credential.findMany()
      return rows.map(({ kind, name }) => `${kind} ${name}`).sort()
    }
    const links = ['fresh', 'gone', 'here', 'old'].map((name) => `sign_in_link ${name}`)
    expect(await kept()).toEqual(['session here', ...links])
    passed += 13 * hours
    await drained(app.signIns.removeSpent())
    expect(await kept()).toEqual(['sign_in_link fresh', 'sign_in_link here'])
  })
})

test('codes that do not hold are counted as failed sign-ins, and too many are not looked up', async () => {
  const strangers = new Strangers({ perSecond: 1, burst: 5, trustedProxies: [] }, () => 0)
  const app = await startApp('sqlite', { strangers })
  const server = await listen(app.app, { host: '127.0.0.1', port: 0 })
  const post = async (path: string, code: string) => {
    const headers = { 'content-type': 'application/json', ...page }
    const init = { method: 'POST', headers, body: JSON.stringify({ code }) }
    return (await fetch(`${server.url}${path}`, init)).status
  }
  const unknown = `orl_${'x'.repeat(43)}`
  const good = await app.signIns.makeLink('olga')
  const answers: number[] = []
  for (let index = 0; index < 12; index += 1) answers.push(await post('/sign-in', unknown))
  expect(answers).toEqual([...Array.from({ length: 5 }, () => 401), ...Array.from({ length: 7 }, () => 429)])
  await app.flush()
  app.takeStatements()
  expect(await post('/sign-in', good)).toBe(429)
  expect(await post('/graphql', '')).toBe(429)
  expect(app.takeStatements()).toEqual([])
  await server.close()
  await app.close()
})
