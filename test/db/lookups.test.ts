import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../src/auth/system.ts'
import { findCluster } from '../../src/domain/clusters/clusters.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { createWorld, type World } from '../support/world.ts'

const poll = '{ viewer { ... on Node { name cluster { name configVersion latestBundleVersion } } } }'

describe.each(engines)('look-ups by key on %s', (engine) => {
  let app: TestApp
  let ours: World
  let theirs: World
  beforeAll(async () => {
    app = await startApp(engine)
    ours = await createWorld(app, 'ours', randomUUID())
    theirs = await createWorld(app, 'theirs', randomUUID())
  })
  afterAll(() => app.close())

  test('a hundred polls of two tenants at once are a handful of statements, and each is told its own', async () => {
    const callers = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? ours : theirs))
    app.takeStatements()
    const answers = await Promise.all(callers.map(({ nodeToken }) => app.ask(nodeToken, poll)))
    const statements = app.takeStatements()
    // One turn may end while some requests are still being read; a hundred statements would be one a caller.
    expect(statements.length).toBeLessThanOrEqual(10)
    for (const [index, answer] of answers.entries()) {
      const name = index % 2 === 0 ? 'ours' : 'theirs'
      expect(answer).toMatchObject({
        viewer: { name: `${name}-node`, cluster: { name: expect.stringContaining(name) } },
      })
    }
  })

  test('one batch answers each caller within its own scope', async () => {
    const sessionOf = async (token: string) => {
      const session = await app.authenticate(`Bearer ${token}`)
      if (session.kind === 'anonymous') throw new Error('nobody')
      return session.scope
    }
    const scopes = [await sessionOf(ours.admin), await sessionOf(ours.nodeToken), systemOperator(app.database)]
    app.takeStatements()
    const found = await Promise.all(
      scopes.flatMap((scope) =>
        [ours, theirs].map(async ({ clusterId }) => (await findCluster(scope, clusterId, ['id']))?.id ?? null),
      ),
    )
    expect(app.takeStatements()).toHaveLength(1)
    expect(found).toEqual([ours.clusterId, null, ours.clusterId, null, ours.clusterId, theirs.clusterId])
  })

  test('nothing is remembered: a rotated token ends with the rotation, a new version shows with the next poll', async () => {
    const { nodeId } = ours
    const before = await app.ask<{ viewer: { cluster: { configVersion: number } } }>(ours.nodeToken, poll)
    const rotated = await app.ask<{ rotateNodeToken: { token: string } }>(
      ours.admin,
      'mutation ($id: UUID!) { rotateNodeToken(input: { nodeId: $id }) { ... on RotateNodeTokenPayload { token } } }',
      { id: nodeId },
    )
    const old = await app.answer(ours.nodeToken, poll)
    expect(old.errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED')
    const after = await app.ask<typeof before>(rotated.rotateNodeToken.token, poll)
    expect(after.viewer.cluster.configVersion).toBe(before.viewer.cluster.configVersion + 1)
  })

  test('times, flags and JSON come as the model has them', async () => {
    const operator = systemOperator(app.database)
    const fields = ['createdAt', 'provideLighthouse', 'firewall', 'caRotationStartedAt', 'latestBundleVersion'] as const
    const found = await findCluster(operator, theirs.clusterId, fields)
    const { createdAt, provideLighthouse, firewall, caRotationStartedAt } =
      await app.database.client.cluster.findUniqueOrThrow({ where: { id: theirs.clusterId } })
    const expected = { createdAt, provideLighthouse, firewall, caRotationStartedAt, latestBundleVersion: 1000 }
    expect(found).toMatchObject(expected)
  })

  test('what cannot be read fails for everybody who waits for it, and for nobody later', async () => {
    const operator = systemOperator(app.database)
    const unknown = 'noSuchField' as 'name'
    const asked = [findCluster(operator, ours.clusterId, [unknown]), findCluster(operator, theirs.clusterId, ['name'])]
    for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected')
    expect(await findCluster(operator, ours.clusterId, ['id'])).toMatchObject({ id: ours.clusterId })
  })
})
