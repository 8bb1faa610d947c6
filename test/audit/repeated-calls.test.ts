import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { getNullableType, isInputObjectType } from 'graphql'

import { createLog } from '../../src/base/log.ts'
import { AuditKeeper } from '../../src/domain/audit/keeper.ts'
import { schema } from '../../src/graphql/schema.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { createWorld, type World } from '../support/world.ts'

const day = 24 * 3_600_000

let accessTokenId = ''

/** What each mutation that may be repeated is called with, and what it answers: the object’s id and the secret. */
const repeatable: Record<string, { input: (world: World) => object; select: string }> = {
  createTenant: { input: () => ({ name: `tenant ${randomUUID()}` }), select: 'tenant { id }' },
  createCluster: {
    input: ({ tenantId }) => ({ tenantId, name: `cluster ${randomUUID()}` }),
    select: 'cluster { id } token warnings { message }',
  },
  createNode: {
    input: ({ clusterId }) => ({ clusterId, name: randomUUID() }),
    select: 'node { id } token warnings { message }',
  },
  rotateNodeToken: { input: ({ nodeId }) => ({ nodeId }), select: 'node { id } token' },
  rotateAccessToken: { input: () => ({ id: accessTokenId }), select: 'credential { id } token' },
  rotateClusterToken: { input: ({ clusterId }) => ({ clusterId }), select: 'cluster { id } token' },
}

test('every mutation whose payload has a token may be repeated, but for enrollment', () => {
  const fields = Object.values(schema.getMutationType()?.getFields() ?? {})
  const names = fields.flatMap(({ name, args }) =>
    args.some(({ type }) => {
      const input = getNullableType(type)
      return isInputObjectType(input) && 'idempotencyKey' in input.getFields()
    })
      ? [name]
      : [],
  )
  expect(names.sort()).toEqual(Object.keys(repeatable).sort())
})

describe.each(engines)('a repeated call on %s', (engine) => {
  let app: TestApp
  let ours: World
  let theirs: World
  beforeAll(async () => {
    app = await startApp(engine)
    ours = await createWorld(app, 'ours', randomUUID())
    theirs = await createWorld(app, 'theirs', randomUUID())
    const { createAccessToken: made } = await app.ask<{ createAccessToken: { credential: { id: string } } }>(
      ours.admin,
      `mutation ($expiresAt: DateTimeISO!) { createAccessToken(input: { name: "ci", role: VIEWER, expiresAt: $expiresAt }) {
        ... on CreateAccessTokenPayload { credential { id } } } }`,
      { expiresAt: new Date(Date.now() + day).toISOString() },
    )
    accessTokenId = made.credential.id
  })
  afterAll(() => app.close())

  interface Answer {
    readonly __typename: string
    readonly message?: string
    readonly path?: readonly string[]
    readonly token?: string
    readonly node?: { readonly id: string }
  }
  async function call(token: string, name: string, input: object): Promise<Answer> {
    const title = name.charAt(0).toUpperCase() + name.slice(1)
    const answer = await app.ask<Record<string, Answer>>(
      token,
      `mutation ($input: ${title}Input!) { ${name}(input: $input) {
        __typename ... on ${title}Payload { ${repeatable[name]?.select ?? ''} }
        ... on Error { message } ... on ValidationError { path }
      } }`,
      { input },
    )
    const [result] = Object.values(answer)
    if (!result) throw new Error(`${name} has no answer`)
    return result
  }
  const create = (token: string, input: object) => call(token, 'createNode', input)
  const rows = (where: object = {}) => app.database.client.auditEvent.findMany({ where, orderBy: { id: 'asc' } })
  const count = () => app.database.client.node.count()
  const keyed = (world = ours) => ({ clusterId: world.clusterId, name: randomUUID(), idempotencyKey: randomUUID() })

  test.each(Object.entries(repeatable))('%s gives the same result, and changes nothing', async (name, { input }) => {
    const given = { ...input(ours), idempotencyKey: randomUUID() }
    const first = await call(app.operator, name, given)
    expect(first.__typename).toMatch(/Payload$/)
    const before = await app.database.client.cluster.findUniqueOrThrow({ where: { id: ours.clusterId } })
    expect(await call(app.operator, name, given)).toEqual(first)
    expect(await app.database.client.cluster.findUniqueOrThrow({ where: { id: ours.clusterId } })).toEqual(before)
    expect((await rows()).at(-1)?.action).toMatch(/\.repeat$/)
  })

  test('the token that is shown again is the node’s', async () => {
    const input = keyed()
    await create(ours.admin, input)
    const { token, node } = await create(ours.admin, input)
    expect(token).toMatch(/^orn_/)
    const signedIn = await app.authenticate(`Bearer ${token ?? ''}`)
    expect(signedIn).toMatchObject({ kind: 'node', nodeId: node?.id })
  })

  test('with other input it is refused with the path, and nothing is made', async () => {
    const input = keyed()
    await create(ours.admin, input)
    const before = await count()
    const refused = await create(ours.admin, { ...input, name: 'another name' })
    expect(refused).toMatchObject({ __typename: 'ValidationError', path: ['input', 'idempotencyKey'] })
    expect(await count()).toBe(before)
  })

  test.each(['', 'x'.repeat(65), 'ä', 'a\tb'])('%j is no key', async (idempotencyKey) => {
    const refused = await create(ours.admin, { ...keyed(), idempotencyKey })
    expect(refused).toMatchObject({ __typename: 'ValidationError', path: ['input', 'idempotencyKey'] })
  })

  test('after 24 hours it is a new call, be it swept by then or not', async () => {
    for (const isSwept of [false, true]) {
      const input = { nodeId: ours.nodeId, idempotencyKey: randomUUID() }
      const first = await call(ours.admin, 'rotateNodeToken', input)
      const row = (await rows({ idempotencyKey: { not: null } })).at(-1)
      if (!row) throw new Error('no row has the key')
      const at = new Date(Date.now() - day)
      await app.database.client.auditEvent.update({ where: { id: row.id }, data: { at } })
      if (isSwept) {
        const keys = { present: app.keys.audit, previous: [] }
        const keeper = new AuditKeeper({ operator: app.operatorScope, keys, days: 0, log: createLog('silent') })
        const pieces = keeper.keep()
        while ((await pieces.next()).done !== true);
        expect(await rows({ id: row.id })).toMatchObject([
          { idempotencyKey: null, inputHash: null, sealedResult: null },
        ])
      }
      const second = await call(ours.admin, 'rotateNodeToken', input)
      expect(second.__typename).toBe('RotateNodeTokenPayload')
      expect(second.token).not.toBe(first.token)
      expect(await call(ours.admin, 'rotateNodeToken', input)).toEqual(second)
      await app.database.client.auditEvent.update({ where: { id: row.id }, data: { at: row.at } })
    }
  })

  test.each(['createNode', 'rotateNodeToken'])('of many %s at the same time, one changes something', async (name) => {
    const input = name === 'createNode' ? keyed() : { nodeId: ours.nodeId, idempotencyKey: randomUUID() }
    const action = name === 'createNode' ? 'node.create' : 'node.token.rotate'
    const before = (await rows({ action, outcome: 'done' })).length
    const answers = await Promise.all(Array.from({ length: 6 }, () => call(ours.admin, name, input)))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]?.token).toMatch(/^orn_/)
    expect(await rows({ action, outcome: 'done' })).toHaveLength(before + 1)
  })

  test('the same key of another tenant, another caller or another mutation is another key', async () => {
    const idempotencyKey = 'one-for-all'
    const made = [
      await create(ours.admin, { ...keyed(), idempotencyKey }),
      await create(theirs.admin, { ...keyed(theirs), idempotencyKey }),
      await create(ours.adminNodeToken, { ...keyed(), idempotencyKey }),
      await create(app.operator, { ...keyed(), idempotencyKey }),
      await call(ours.admin, 'rotateNodeToken', { nodeId: ours.nodeId, idempotencyKey }),
    ]
    expect(made.map(({ message }) => message)).toEqual(made.map(() => undefined))
    expect(new Set(made.map(({ token }) => token)).size).toBe(made.length)
  })

  test('when the object is gone, it says so', async () => {
    const input = keyed()
    const { node } = await create(ours.admin, input)
    await app.database.client.node.delete({ where: { id: node?.id ?? '' } })
    expect(await create(ours.admin, input)).toMatchObject({
      __typename: 'ConflictError',
      message: expect.stringContaining('was deleted'),
    })
  })

  test('a refused call and a dry run leave the key unused', async () => {
    const input = keyed()
    expect((await create(ours.admin, { ...input, mtu: 7 })).__typename).toBe('ValidationError')
    expect((await create(ours.admin, { ...input, dryRun: true })).__typename).toBe('CreateNodePayload')
    expect((await create(ours.admin, input)).token).toMatch(/^orn_/)
  })

  test('the table has no readable secret and no readable key', async () => {
    const input = keyed()
    const { token } = await create(ours.admin, input)
    const all = JSON.stringify(await rows())
    expect(all).not.toContain(token)
    expect(all).not.toMatch(/or[nc]_[\w-]{20}/)
    expect(all).not.toContain(input.idempotencyKey)
  })

  test('a sealed result does not open in another row', async () => {
    const [one, other] = [keyed(), keyed()]
    await create(ours.admin, one)
    await create(ours.admin, other)
    const [first, second] = (await rows({ sealedResult: { not: null } })).slice(-2)
    const { sealedResult } = first ?? {}
    await app.database.client.auditEvent.update({
      where: { id: second?.id ?? '' },
      data: { sealedResult: sealedResult ?? '' },
    })
    expect(await create(ours.admin, other)).toMatchObject({ __typename: 'ConflictError' })
  })
})
