import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { eventsOf } from '../support/events.ts'
import { createWorld } from '../support/world.ts'

const page = { 'x-orrery-client': 'web' }
const day = 86_400_000

describe.each(engines)('the session of the admin page, on %s', (engine) => {
  let app: TestApp
  let server: Listening
  beforeAll(async () => {
    app = await startApp(engine)
    server = await listen(app.app, { host: '127.0.0.1', port: 0 })
  })
  afterAll(async () => {
    await server.close()
    await app.close()
  })

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...page, ...headers },
      body: JSON.stringify(body),
    })
  const cookieOf = (response: Response) => response.headers.get('set-cookie')?.split(';')[0] ?? ''
  const signIn = async (body: unknown) => {
    const response = await post('/sign-in', body)
    expect(response.status).toBe(200)
    return cookieOf(response)
  }
  const byLink = async () => signIn({ code: await app.signIns.makeLink('olga') })
  const query =
    '{ viewer { __typename ... on Operator { subject scopes expiresAt } ... on TenantAdmin { role scopes } } }'
  const viewer = async (cookie: string, headers: Record<string, string> = page) => {
    const response = await post('/graphql', { query }, { 'x-orrery-client': '', ...headers, cookie })
    const { data } = (await response.json()) as { data?: { viewer?: unknown } }
    return response.status === 200 ? data?.viewer : response.status
  }
  const create = `mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
    __typename ... on CreateAccessTokenPayload { token credential { id } } } }`
  interface Made {
    createAccessToken: { __typename: string; token: string; credential: { id: string } }
  }
  const makeToken = async (input: object) => {
    const expiresAt = new Date(Date.now() + 30 * day).toISOString()
    return (await app.ask<Made>(app.operator, create, { input: { name: 'laptop', expiresAt, ...input } }))
      .createAccessToken
  }

  test('is a cookie that no script and no other site reads', async () => {
    const response = await post('/sign-in', { code: await app.signIns.makeLink('olga') })
    const seconds = 7 * 24 * 3600
    expect(response.headers.get('set-cookie')).toMatch(
      new RegExp(`^orrery-session=ors_[\\w-]{43}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}$`),
    )
    const origin = 'https://orrery.example'
    const behindProxy = await post(
      '/sign-in',
      { code: await app.signIns.makeLink('olga') },
      { origin, 'sec-fetch-site': 'same-origin' },
    )
    expect(behindProxy.headers.get('set-cookie')).toMatch(/^__Host-orrery-session=ors_\S+; Path=\/; .*; Secure$/)
    for (const one of [response, behindProxy]) expect(JSON.stringify(await one.json())).not.toContain('ors_')
  })

  test.each([
    ['with the page’s header', page, true],
    ['from this site, as its browser says', { ...page, 'sec-fetch-site': 'same-origin' }, true],
    ['without the header', {}, false],
    ['with another client’s header', { 'x-orrery-client': 'cli' }, false],
    ['from another site', { ...page, 'sec-fetch-site': 'cross-site' }, false],
    ['from another port or subdomain', { ...page, 'sec-fetch-site': 'same-site' }, false],
    ['from the address bar', { ...page, 'sec-fetch-site': 'none' }, false],
  ])('%s: counts %s %s', async (_how, headers: Record<string, string>, counts) => {
    const seen = await viewer(await byLink(), headers)
    expect(seen).toEqual(counts ? expect.objectContaining({ subject: 'olga' }) : 401)
  })

  test('over plain http counts on the machine itself only, and never beside another credential', async () => {
    const [, token = ''] = (await byLink()).split('=')
    const ask = (host: string, cookie: string) =>
      app.fetch('/graphql', {
        method: 'POST',
        headers: { ...page, host, cookie, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      })
    for (const [host, cookie, status] of [
      ['localhost:4000', `orrery-session=${token}`, 200],
      ['[::1]:4000', `a=b; orrery-session=${token}; c=d`, 200],
      ['orrery.example', `orrery-session=${token}`, 401],
      ['localhost.evil.example', `orrery-session=${token}`, 401],
      ['orrery.example', `__Host-orrery-session=${token}`, 200],
      ['localhost', `not-orrery-session=${token}`, 401],
    ] as const) {
      expect([host, cookie.slice(0, 20), (await ask(host, cookie)).status]).toEqual([host, cookie.slice(0, 20), status])
    }
    expect(await viewer(`orrery-session=${token}`, { ...page, authorization: 'Bearer nonsense' })).toBe(401)
  })

  test('is ended by signing out, and the browser forgets it; no other site ends it', async () => {
    const cookie = await byLink()
    for (const headers of [{ 'x-orrery-client': '' }, { 'sec-fetch-site': 'cross-site' }]) {
      expect((await post('/sign-out', {}, { cookie, ...headers })).status).toBe(403)
    }
    expect(await viewer(cookie)).toMatchObject({ subject: 'olga' })
    const response = await post('/sign-out', {}, { cookie })
    expect(response.status).toBe(204)
    expect(response.headers.get('set-cookie')).toBe('orrery-session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0')
    expect(await viewer(cookie)).toBe(401)
  })

  test('may do what its access token may, no more and no longer, and its stream ends with the token', async () => {
    const { tenantId, clusterId } = await createWorld(app, randomUUID(), randomUUID())
    const soon = new Date(Date.now() + 2 * day).toISOString()
    const made = await makeToken({
      role: 'VIEWER',
      tenantId,
      scopes: ['clusters:read', 'tenants:read'],
      expiresAt: soon,
    })
    const response = await post('/sign-in', { token: made.token })
    expect(await response.json()).toEqual({ expiresAt: soon })
    const cookie = cookieOf(response)
    expect(await viewer(cookie)).toEqual({
      __typename: 'TenantAdmin',
      role: 'VIEWER',
      scopes: ['clusters:read', 'tenants:read'],
    })
    const subscription = `subscription { clusterChanged(clusterId: "${clusterId}") { __typename } }`
    const stream = await post('/graphql', { query: subscription }, { cookie, accept: 'text/event-stream' })
    const events = eventsOf(stream)
    const next = async () => {
      for (;;) {
        const { value } = await events.next()
        if (value?.event !== null) return value?.event
      }
    }
    expect(await next()).toBe('next')
    const revoke = 'mutation ($id: UUID!) { revokeCredential(input: { id: $id }) { __typename } }'
    await app.ask(app.operator, revoke, { id: made.credential.id })
    expect(await next()).toBe('complete')
    expect(await viewer(cookie)).toBe(401)
    expect((await post('/sign-in', { token: made.token })).status).toBe(401)
  })

  test('sees the clusters that its access token is limited to, and ends when the secret is replaced without a grace', async () => {
    const { tenantId, clusterId } = await createWorld(app, randomUUID(), randomUUID())
    const sister = 'mutation ($input: CreateClusterInput!) { createCluster(input: $input) { __typename } }'
    await app.ask(app.operator, sister, { input: { tenantId, name: 'sister' } })
    const made = await makeToken({ role: 'VIEWER', tenantId, clusterIds: [clusterId] })
    const cookie = await signIn({ token: made.token })
    const clusters = async () => {
      const response = await post('/graphql', { query: '{ clusters(first: 9) { nodes { id } } }' }, { cookie })
      return response.status === 200 ? ((await response.json()) as { data: unknown }).data : response.status
    }
    expect(await clusters()).toEqual({ clusters: { nodes: [{ id: clusterId }] } })
    const rotate = 'mutation ($input: RotateAccessTokenInput!) { rotateAccessToken(input: $input) { __typename } }'
    await app.ask(app.operator, rotate, { input: { id: made.credential.id, graceSeconds: 60 } })
    expect(await clusters()).toEqual({ clusters: { nodes: [{ id: clusterId }] } })
    await app.ask(app.operator, rotate, { input: { id: made.credential.id } })
    expect(await clusters()).toBe(401)
  })

  test('makes no access token that outlives its own', async () => {
    const expiresAt = new Date(Date.now() + 30 * day).toISOString()
    const cookie = await signIn({ token: (await makeToken({ role: 'OPERATOR', expiresAt })).token })
    const ask = async (days: number) => {
      const input = { name: 'more', role: 'OPERATOR', expiresAt: new Date(Date.now() + days * day).toISOString() }
      const response = await post('/graphql', { query: create, variables: { input } }, { cookie })
      return ((await response.json()) as { data: Made }).data.createAccessToken.__typename
    }
    expect([await ask(29), await ask(31)]).toEqual(['CreateAccessTokenPayload', 'ValidationError'])
  })

  test('is not given for a token that is unknown, over, or limited in a way that is not enforced', async () => {
    const { tenantId, clusterId } = await createWorld(app, randomUUID(), randomUUID())
    const [over, limited] = [
      await makeToken({ role: 'VIEWER', tenantId }),
      await makeToken({ role: 'VIEWER', tenantId }),
    ]
    const change = (id: string, data: object) => app.database.client.credential.update({ where: { id }, data })
    await change(over.credential.id, { expiresAt: new Date(Date.now() - 1000) })
    await change(limited.credential.id, { clusterIds: [clusterId], role: 'unheard of' })
    const answers: unknown[] = []
    for (const token of [over.token, limited.token, `orp_${'x'.repeat(43)}`, 'x']) {
      const response = await post('/sign-in', { token })
      answers.push([response.status, response.headers.get('set-cookie'), await response.text()])
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]).toEqual([401, null, expect.stringContaining('UNAUTHENTICATED')])
  })

  test('is one of a hundred at most of the same token: the oldest ends', async () => {
    const { token } = await makeToken({ role: 'OPERATOR' })
    const first = await signIn({ token })
    for (let more = 0; more < 99; more += 1) await app.signIns.exchange(token)
    expect(await viewer(first)).toMatchObject({ subject: 'laptop' })
    await app.signIns.exchange(token)
    expect(await viewer(first)).toBe(401)
  })

  test('can be begun as /sign-in/methods says', async () => {
    const response = await app.fetch('/sign-in/methods')
    expect(await response.json()).toEqual({ link: true, token: true, provider: null })
  })
})
