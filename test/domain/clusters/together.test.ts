import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { certify } from '../../support/certified.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createNode, createWorld, nodeRow, type World } from '../../support/world.ts'

describe.each(engines)('many nodes among several changes of a cluster on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
  })
  afterAll(() => app.close())
  beforeEach(async () => {
    world = await createWorld(app, randomUUID(), randomUUID())
  })

  const together = (changes: readonly object[], terms: object = {}) =>
    mutate<{ cluster: { configVersion: number } | null; plan: { version: number } | null }>(
      app,
      world.admin,
      'changeCluster',
      { clusterId: world.clusterId, changes, ...terms },
      'cluster { configVersion } plan { version } warnings { code path }',
    )
  const cluster = () => app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })
  const node = () => nodeRow(app, world.nodeId)
  const lines = async () => ((await cluster()).pendingChanges ?? '').split('\n')

  test('blocking, changing and unblocking are one version, and each sees the one before it', async () => {
    await certify(app, world.nodeToken)
    const [first, before] = [await node(), await cluster()]
    const ids = [world.nodeId]
    const groups = { updateNodeGroups: { nodeId: world.nodeId, groups: ['late'] } }
    const trial = await together([{ blockNodes: { ids } }, groups], { dryRun: true })
    expect(trial.plan?.version).toBe(before.configVersion + 1)
    expect(await node()).toEqual(first)

    const made = await together([{ blockNodes: { ids, reason: 'stolen' } }, groups])
    expect(made.cluster?.configVersion).toBe(before.configVersion + 1)
    expect(await node()).toMatchObject({ blockedAt: expect.any(Date), certificate: null, groups: ['late'] })
    expect((await cluster()).pkiCrl).toContain(first.certificateFingerprint)
    expect((await lines()).slice(-2)).toEqual([
      expect.stringMatching(/: blocked \(stolen\) \(/),
      expect.stringMatching(/: groups late/),
    ])

    await together([{ unblockNodes: { ids } }, { updateNodeMtu: { nodeId: world.nodeId, mtu: 1400 } }])
    expect((await cluster()).configVersion).toBe(before.configVersion + 2)
    const after = await node()
    expect(after).toMatchObject({ blockedAt: null, certificate: expect.any(String), mtu: 1400 })
    expect((await cluster()).pkiCrl).not.toContain(after.certificateFingerprint)
  })

  test('a node of another cluster or of nobody refuses all of it, and the path names its id', async () => {
    const before = [await node(), await cluster()]
    const { cluster: other } = await mutate<{ cluster: { id: string } }>(
      ...([app, world.admin, 'createCluster', { name: 'other' }, 'cluster { id }'] as const),
    )
    const there = await createNode(app, world.admin, { clusterId: other.id, name: 'there' })
    const query = `mutation ($input: ChangeClusterInput!) { changeCluster(input: $input) {
      __typename ... on NotFoundError { message path } } }`
    for (const stranger of [there.id, randomUUID()]) {
      const changes = [
        { updateClusterLighthouse: { lighthousePort: 4300 } },
        { blockNodes: { ids: [world.nodeId, stranger] } },
      ]
      expect(await app.ask(world.admin, query, { input: { clusterId: world.clusterId, changes } })).toEqual({
        changeCluster: {
          ...{ __typename: 'NotFoundError', message: 'Node not found' },
          path: ['input', 'changes', '1', 'blockNodes', 'ids', '1'],
        },
      })
    }
    expect([await node(), await cluster()]).toEqual(before)
  })

  test('all changes together name at most a thousand nodes, and each at least one', async () => {
    const ids = Array.from({ length: 600 }, () => randomUUID())
    const many = await together([{ blockNodes: { ids } }, { unblockNodes: { ids } }])
    expect(many.issues).toMatchObject([{ path: ['input', 'changes', '1', 'unblockNodes', 'ids'] }])
    const none = await together([{ blockNodes: { ids: [] } }])
    expect(none.issues).toMatchObject([{ path: ['input', 'changes', '0', 'blockNodes', 'ids'] }])
  })

  test('another version than the expected one is a conflict; the expected one is changed', async () => {
    const changes = [{ blockNodes: { ids: [world.nodeId] } }]
    const { configVersion } = await cluster()
    const refused = await together(changes, { expectedVersion: configVersion + 1 })
    expect(refused.__typename).toBe('ConflictError')
    expect((await node()).blockedAt).toBeNull()
    const made = await together(changes, { expectedVersion: configVersion })
    expect(made.cluster?.configVersion).toBe(configVersion + 1)
    expect((await node()).blockedAt).not.toBeNull()
  })
})
