import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { RefusedSignIns } from '../../src/domain/tenants/refused-sign-ins.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { drained } from '../support/drained.ts'
import { mutate } from '../support/mutate.ts'
import { createWorld, type World } from '../support/world.ts'

const minute = 60_000
const hour = 60 * minute

describe.each(engines)('refused sign-ins in the audit trail, on %s', (engine) => {
  let app: TestApp
  let world: World
  let passed = 0
  const now = () => Date.now() + passed
  beforeAll(async () => {
    app = await startApp(engine, { now })
    world = await createWorld(app, 'world', randomUUID())
  })
  afterAll(() => app.close())

  const bring = async (code: string) => {
    const headers = { 'content-type': 'application/json', 'x-orrery-client': 'web' }
    const answer = await app.fetch('/sign-in', { method: 'POST', headers, body: JSON.stringify({ code }) })
    return { status: answer.status, id: answer.headers.get('x-request-id') }
  }
  const use = async (token: string) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ query: '{ viewer { __typename } }' })
    const answer = await app.fetch('/graphql', { method: 'POST', headers, body })
    return { status: answer.status, id: answer.headers.get('x-request-id') }
  }
  /** The refusals of a request. */
  const eventsOf = async (requestId: string | null) => {
    await app.flush()
    return app.database.client.auditEvent.findMany({ where: { requestId, outcome: 'refused' } })
  }
  const makeToken = async () => {
    const made = await mutate<{ token: string; credential: { id: string } }>(
      ...([app, world.admin, 'createAccessToken'] as const),
      { name: 'script', role: 'VIEWER', expiresAt: new Date(Date.now() + hour).toISOString() },
      'token credential { id }',
    )
    return { token: made.token, id: made.credential.id }
  }
  const later = async (milliseconds: number, work: () => Promise<void>) => {
    passed += milliseconds
    try {
      await work()
    } finally {
      passed -= milliseconds
    }
  }
  const link = () => app.signIns.makeLink('Grace', { role: 'viewer', tenantId: world.tenantId })
  const unknown = (prefix: string) => `${prefix}_${'x'.repeat(43)}`

  test('a link that is used twice, or too late, is in the trail of its tenant, and who sees it learns whose it was', async () => {
    const [used, late] = [await link(), await link()]
    expect((await bring(used)).status).toBe(200)
    const twice = await bring(used)
    expect(twice.status).toBe(401)
    const [event] = await eventsOf(twice.id)
    const { tenantId } = world
    expect(event).toMatchObject({
      ...{ action: 'session.begin', refusal: 'USED', actorKind: 'anonymous', credentialId: null },
      ...{ tenantId, chain: tenantId },
    })
    expect(JSON.parse(event?.targets ?? '')).toEqual([{ type: 'Credential', id: expect.any(String), name: 'Grace' }])
    await later(11 * minute, async () => {
      const { id } = await bring(late)
      expect(await eventsOf(id)).toMatchObject([{ refusal: 'EXPIRED', chain: tenantId }])
    })
    const query = '{ auditEvents(first: 10, filter: { action: "session.begin", outcome: REFUSED }) { totalCount } }'
    expect(await app.ask(world.admin, query)).toEqual({ auditEvents: { totalCount: 2 } })
    const stranger = await createWorld(app, randomUUID(), randomUUID())
    expect(await app.ask(stranger.admin, query)).toEqual({ auditEvents: { totalCount: 0 } })
  })

  test('so is an access token that has expired, or whose former secret has ended', async () => {
    const { token, id } = await makeToken()
    const replaced = await mutate<{ token: string }>(
      ...([app, world.admin, 'rotateAccessToken', { id, graceSeconds: 60 }, 'token'] as const),
    )
    expect((await use(token)).status).toBe(200)
    await later(2 * minute, async () => {
      const { status, id: requestId } = await use(token)
      expect(status).toBe(401)
      const [event] = await eventsOf(requestId)
      expect(event).toMatchObject({ action: 'token.use', refusal: 'REPLACED', chain: world.tenantId })
      expect(JSON.parse(event?.targets ?? '')).toEqual([{ type: 'Credential', id, name: 'script' }])
    })
    await later(2 * hour, async () => {
      // The sweep keeps them for a day.
      await drained(app.signIns.removeSpent())
      const { id: requestId } = await use(replaced.token)
      expect(await eventsOf(requestId)).toMatchObject([{ refusal: 'EXPIRED', chain: world.tenantId }])
    })
  })

  test('what nobody knows, any more or ever, is in the trail of the control plane', async () => {
    const revoked = await makeToken()
    await mutate(app, world.admin, 'revokeCredential', { id: revoked.id })
    const forgotten = await link()
    const answers = [await use(revoked.token), await use(unknown('orp')), await bring(unknown('orl'))]
    await later(26 * hour, async () => {
      await drained(app.signIns.removeSpent())
      answers.push(await bring(forgotten))
    })
    for (const { status, id } of answers) {
      expect(status).toBe(401)
      expect(await eventsOf(id)).toMatchObject([
        { refusal: 'UNKNOWN', chain: 'control-plane', tenantId: null, targets: '[]' },
      ])
    }
  })

  test('nothing of what was brought is in it', async () => {
    const { token } = await makeToken()
    const code = await link()
    await later(2 * hour, async () => {
      for (const one of [await use(token), await bring(code)]) expect(await eventsOf(one.id)).toHaveLength(1)
    })
    const all = JSON.stringify(await app.database.client.auditEvent.findMany())
    for (const secret of [token, code]) expect(all).not.toContain(secret.slice(4, 20))
  })

  test('other credentials, and texts that are none, are not', async () => {
    for (const one of [unknown('ors'), unknown('orn'), unknown('ore'), `${world.admin}x`, 'orp_short'])
      expect(await eventsOf((await use(one)).id)).toEqual([])
    for (const one of [unknown('ors'), 'x', '']) expect(await eventsOf((await bring(one)).id)).toEqual([])
  })

  test('they are kept for it, and are in no list', async () => {
    const query = '{ credentials(first: 100) { totalCount edges { node { id } } } }'
    const { token, id } = await makeToken()
    expect((await use(token)).status).toBe(200)
    const shown = async () => JSON.stringify(await app.ask(world.admin, query))
    expect(await shown()).toContain(id)
    const expiresAt = new Date(Date.now() - minute)
    await app.database.client.credential.update({ where: { id }, data: { expiresAt } })
    expect(await shown()).not.toContain(id)
  })
})

test('attackers fill no trail, from one address or from many', async () => {
  const app = await startApp('sqlite')
  const count = () => app.database.client.auditEvent.count({ where: { action: 'token.use' } })
  let made = 0
  /** Of a server that has just started. */
  const attack = async (addressOf: (index: number) => string) => {
    const refused = new RefusedSignIns({ operator: app.operatorScope, tokens: app.tokens, log: app.app.log })
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 50; index += 1) {
        made += 1
        const token = `orp_${String(made).padStart(43, 'x')}`
        refused.note(token, { requestId: null, address: addressOf(made) })
      }
      await refused.settled()
    }
  }
  await attack(() => '192.0.2.1')
  expect(await count()).toBe(60)
  await attack((index) => `192.0.2.${index}`)
  expect(await count()).toBe(120)
  await app.close()
})
