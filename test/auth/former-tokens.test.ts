import { randomBytes, randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { openStream } from '../support/streams.ts'
import { createWorld, newNode, type World } from '../support/world.ts'

const minute = 60_000

interface Former {
  readonly id: string
  readonly expiresAt: string
  readonly lastUsedAt: string | null
}

describe.each(engines)('a token that is replaced with a grace time, on %s', (engine) => {
  let app: TestApp
  let server: Listening
  let world: World
  let theirs: World
  /** How far the clock is ahead. */
  let ahead = 0
  beforeAll(async () => {
    app = await startApp(engine, { now: () => Date.now() + ahead })
    server = await listen(app.app, { host: '127.0.0.1', port: 0 })
    world = await createWorld(app, 'ours', randomUUID())
    theirs = await createWorld(app, 'theirs', randomUUID())
  })
  afterAll(async () => {
    await server.close()
    await app.close()
  })

  const call = async <Answer>(caller: string, name: string, input: object, select: string): Promise<Answer> => {
    const title = name.charAt(0).toUpperCase() + name.slice(1)
    const query = `mutation ($input: ${title}Input!) { ${name}(input: $input) {
      ... on ${title}Payload { ${select} } ... on Error { __typename message } } }`
    const answer = await app.ask<Record<string, Answer>>(caller, query, { input })
    return answer[name] as Answer
  }
  const rotateNode = async (nodeId: string, graceSeconds: number, caller = world.admin) =>
    (await call<{ token: string }>(caller, 'rotateNodeToken', { nodeId, graceSeconds }, 'token')).token
  const rotateCluster = async (graceSeconds: number) =>
    (
      await call<{ token: string }>(
        world.admin,
        'rotateClusterToken',
        { clusterId: world.clusterId, graceSeconds },
        'token',
      )
    ).token
  const statusOf = async (token: string) => (await app.answer(token, '{ viewer { __typename } }')).status
  const formerOf = async (caller: string, id: string) => {
    const query = 'query ($id: UUID!) { node(id: $id) { formerToken { id expiresAt lastUsedAt } } }'
    return (await app.ask<{ node: { formerToken: Former | null } }>(caller, query, { id })).node.formerToken
  }
  const lookUps = async (token: string) => {
    app.takeStatements()
    await statusOf(token)
    return app.takeStatements().filter((sql) => sql.includes('token_hash')).length
  }

  test('both tokens are the same node’s until the grace ends, and then only the new one', async () => {
    const { id, token } = await newNode(app, world)
    const next = await rotateNode(id, 3600)
    for (const one of [token, next])
      expect(await app.authenticate(`Bearer ${one}`)).toMatchObject({ kind: 'node', nodeId: id })
    ahead = 61 * minute
    expect([await statusOf(token), await statusOf(next)]).toEqual([401, 200])
    ahead = 0
  })

  test('of a cluster too', async () => {
    const first = await rotateCluster(0)
    const next = await rotateCluster(3600)
    expect([await statusOf(first), await statusOf(next)]).toEqual([200, 200])
    await rotateCluster(0)
    expect([await statusOf(first), await statusOf(next)]).toEqual([401, 401])
  })

  test('at most two work, and without a grace the former one ends too', async () => {
    const { id, token } = await newNode(app, world)
    const second = await rotateNode(id, 3600)
    const third = await rotateNode(id, 3600)
    expect([await statusOf(token), await statusOf(second), await statusOf(third)]).toEqual([401, 200, 200])
    const last = await rotateNode(id, 0)
    expect([await statusOf(second), await statusOf(third), await statusOf(last)]).toEqual([401, 401, 200])
  })

  test('many at once, by an admin node too', async () => {
    const nodes = await Promise.all([newNode(app, world), newNode(app, world)])
    const input = { ids: nodes.map(({ id }) => id), graceSeconds: 60 }
    const answer = await call<{ tokens: { token: string }[] }>(
      world.adminNodeToken,
      'rotateNodeTokens',
      input,
      'tokens { token }',
    )
    for (const { token } of [...nodes, ...answer.tokens]) expect(await statusOf(token)).toBe(200)
  })

  test.each([
    ['blocked', 'blockNodes', (id: string) => ({ ids: [id] }), 'results { changed }'],
    ['deleted', 'deleteNode', (id: string) => ({ nodeId: id }), 'node { id }'],
  ] as const)('a node that is %s has no former token any more', async (_name, mutation, input, select) => {
    const { id, token } = await newNode(app, world)
    await rotateNode(id, 3600)
    await call(world.admin, mutation, input(id), select)
    expect(await statusOf(token)).toBe(401)
    expect(await app.database.client.credential.count({ where: { nodeId: id } })).toBe(0)
  })

  test('a blocked node’s token is replaced without a grace', async () => {
    const { id, token } = await newNode(app, world)
    await call(world.admin, 'blockNodes', { ids: [id] }, 'results { changed }')
    await rotateNode(id, 3600)
    await call(world.admin, 'unblockNodes', { ids: [id] }, 'results { changed }')
    expect(await statusOf(token)).toBe(401)
  })

  test('a deleted cluster has no former token', async () => {
    const made = await call<{ cluster: { id: string }; token: string }>(
      world.admin,
      'createCluster',
      { name: randomUUID() },
      'cluster { id } token',
    )
    const clusterId = made.cluster.id
    await call(world.admin, 'rotateClusterToken', { clusterId, graceSeconds: 60 }, 'token')
    expect(await statusOf(made.token)).toBe(200)
    await call(world.admin, 'deleteCluster', { clusterId }, 'cluster { id }')
    expect(await statusOf(made.token)).toBe(401)
  })

  test('its end and its last use are shown to whoever sees credentials, and it can be revoked', async () => {
    const { id, token } = await newNode(app, world)
    await rotateNode(id, 3600)
    const before = await formerOf(world.viewer, id)
    expect(before).toMatchObject({ lastUsedAt: null })
    expect(Date.parse(before?.expiresAt ?? '') - Date.now()).toBeGreaterThan(59 * minute)
    await statusOf(token)
    await app.flush()
    const used = await formerOf(world.adminNodeToken, id)
    expect(Date.parse(used?.lastUsedAt ?? '') % minute).toBe(0)
    expect(await formerOf(token, id)).toBeNull()
    const revoke = (caller: string) =>
      call(caller, 'revokeCredential', { id: before?.id ?? '' }, 'credential { kind nodeId }')
    expect(await revoke(theirs.admin)).toMatchObject({ __typename: 'NotFoundError' })
    expect(await revoke(world.admin)).toEqual({ credential: { kind: 'REPLACED_TOKEN', nodeId: id } })
    expect(await statusOf(token)).toBe(401)
  })

  test('a stream that the former token opened ends with it: when it is revoked, and by itself', async () => {
    const query = 'subscription ($id: UUID!) { configPublished(clusterId: $id) { version } }'
    for (const ends of ['by itself', 'revoked']) {
      const { id, token } = await newNode(app, world)
      const stream = await openStream(server.url, token, { query, variables: { id: world.clusterId } })
      await stream.next()
      await rotateNode(id, ends === 'revoked' ? 3600 : 1)
      const former = await formerOf(world.admin, id)
      if (ends === 'revoked') await call(world.admin, 'revokeCredential', { id: former?.id ?? '' }, 'credential { id }')
      expect(await stream.next()).toBe('complete')
    }
  })

  test('a present token costs one look-up, and a wrong one costs one more', async () => {
    const { token } = await newNode(app, world)
    const wrong = (prefix: string) => `${prefix}${randomBytes(32).toString('base64url')}`
    expect(await lookUps(token)).toBe(1)
    expect([await lookUps(wrong('orn_')), await lookUps(wrong('orc_'))]).toEqual([2, 2])
    expect(await lookUps(wrong('ore_'))).toBe(1)
  })

  test.each([-1, 604_801])('%i seconds are refused', async (graceSeconds) => {
    const answer = await call(world.admin, 'rotateNodeToken', { nodeId: world.nodeId, graceSeconds }, 'token')
    expect(answer).toMatchObject({ __typename: 'ValidationError' })
  })

  test('the audit trail says for how long, and names the node and its former token', async () => {
    const { id } = await newNode(app, world)
    await rotateNode(id, 90)
    const where = { clusterId: world.clusterId, action: 'node.token.rotate' }
    const event = await app.database.client.auditEvent.findFirst({ where, orderBy: { sequence: 'desc' } })
    expect(JSON.parse(event?.after ?? '')).toMatchObject({ Terms: { graceSeconds: 90 } })
    expect(JSON.parse(event?.targets ?? '')).toMatchObject([
      { type: 'Cluster' },
      { type: 'Node', id },
      { type: 'Credential' },
    ])
  })
})
