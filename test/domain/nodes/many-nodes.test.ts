import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { formatPublicKey, generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { certify, fetchSlice } from '../../support/certified.ts'
import { engines } from '../../support/database.ts'
import { mutate, refusedWith } from '../../support/mutate.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const shown = `clusters { clusterId cluster { configVersion } plan { version nodeCount } error { code message } warnings { code } }
  results { nodeId changed node { name groups mtu blockedAt } error { code message } }`

interface Many {
  readonly clusters: readonly {
    clusterId: string
    cluster: { configVersion: number } | null
    plan: { version: number; nodeCount: number } | null
    error: { code: string; message: string } | null
    warnings: { code: string }[]
  }[]
  readonly results: readonly {
    nodeId: string
    changed: boolean
    node: { name: string; groups: string[]; mtu: number; blockedAt: string | null } | null
    error: { code: string; message: string } | null
  }[]
}

describe.each(engines)('many nodes in one call on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
  })
  afterAll(() => app.close())
  beforeEach(async () => {
    world = await createWorld(app, randomUUID(), randomUUID())
  })

  const call = (name: string, input: object, token = world.admin) => mutate<Many>(app, token, name, input, shown)
  const cluster = (id = world.clusterId) => app.database.client.cluster.findUniqueOrThrow({ where: { id } })
  const rows = (clusterId = world.clusterId) =>
    app.database.client.node.findMany({ where: { clusterId }, orderBy: { name: 'asc' } })

  test('a thousand nodes are given a group: one version, few statements, one line in the message', async () => {
    const { tenantId, clusterId } = world
    const data = Array.from({ length: 1000 }, (_, index) => ({
      ...{ id: randomUUID(), tenantId, clusterId, name: `n${String(index).padStart(4, '0')}` },
      ...{
        tokenHash: randomUUID(),
        routes: [],
        groups: ['old'],
        overlayIp: `10.42.${10 + Math.floor(index / 250)}.${index % 250}`,
      },
      publicKey: formatPublicKey(generateNodeKeyPair().publicKey),
    }))
    await app.database.client.node.createMany({ data })
    const ids = data.map(({ id }) => id)
    const before = await cluster()
    for (const [input, groups] of [
      [{ addGroups: ['web'] }, ['old', 'web']],
      [{ removeGroups: ['old'] }, ['web']],
    ] as const) {
      app.takeStatements()
      const { clusters, results } = await mutate<Many>(
        app,
        world.admin,
        'updateNodes',
        { ids, ...input },
        'clusters { cluster { configVersion } error { message } } results { changed error { message } }',
      )
      const statements = app.takeStatements()
      expect(clusters.map(({ error }) => error)).toEqual([null])
      expect(results.filter(({ changed }) => changed)).toHaveLength(1000)
      expect(statements.length).toBeLessThan(50)
      const all = (await rows()).filter(({ name }) => /^n\d{4}$/.test(name))
      expect(new Set(all.map((row) => JSON.stringify(row.groups)))).toEqual(new Set([JSON.stringify(groups)]))
      expect(all.every(({ certificate }) => certificate !== null)).toBe(true)
    }
    const after = await cluster()
    expect(after.configVersion).toBe(before.configVersion + 2)
    expect(after.pkiCrl?.split('\n')).toHaveLength(1000)
    const lines = (after.pendingChanges ?? '').split('\n')
    expect(lines.slice(-2)).toEqual([
      expect.stringMatching(/^1000 nodes \(n0000, n0001, n0002 and 997 more\): groups \+web \(/),
      expect.stringMatching(/^1000 nodes \(n0000, n0001, n0002 and 997 more\): groups -old \(/),
    ])
  }, 60_000)

  test('in a cluster all are changed or none; another cluster is on its own; unknown and foreign look alike', async () => {
    const foreign = await createWorld(app, randomUUID(), randomUUID())
    const { cluster: other } = await mutate<{ cluster: { id: string } }>(
      ...([app, world.admin, 'createCluster', { name: 'other' }, 'cluster { id }'] as const),
    )
    const there = await createNode(app, world.admin, { clusterId: other.id, name: 'there' })
    const groups = Array.from({ length: 64 }, (_, index) => `g${index}`)
    const full = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'full', groups })
    const before = await rows()
    const unknown = randomUUID()
    const outcome = await call('updateNodes', {
      ids: [world.nodeId, full.id, there.id, foreign.nodeId, unknown],
      addGroups: ['web'],
    })
    expect(await rows()).toEqual(before)
    expect(outcome.clusters).toMatchObject([
      { clusterId: world.clusterId, cluster: null, error: { code: 'INVALID' } },
      { clusterId: other.id, error: null },
    ])
    const byId = new Map(outcome.results.map(({ nodeId, ...rest }) => [nodeId, rest]))
    expect(byId.get(world.nodeId)).toEqual({ changed: false, node: null, error: null })
    expect(byId.get(full.id)?.error?.message).toMatch(/"full" would have more than 64 groups/)
    expect(byId.get(there.id)).toMatchObject({ changed: true, node: { groups: ['web'] } })
    expect(byId.get(foreign.nodeId)).toEqual(byId.get(unknown))
    expect(byId.get(unknown)?.error?.code).toBe('NOT_FOUND')
  })

  test('an admin node changes nodes of its own cluster only; a plain node and a viewer change none', async () => {
    const { cluster: other } = await mutate<{ cluster: { id: string } }>(
      ...([app, world.admin, 'createCluster', { name: 'other' }, 'cluster { id }'] as const),
    )
    const there = await createNode(app, world.admin, { clusterId: other.id, name: 'there' })
    const { results } = await call(
      'updateNodes',
      { ids: [world.nodeId, there.id], set: { mtu: 1400 } },
      world.adminNodeToken,
    )
    expect(results.map(({ changed, error }) => [changed, error?.code])).toEqual([
      [true, undefined],
      [false, 'NOT_FOUND'],
    ])
    for (const token of [world.nodeToken, world.viewer])
      expect(await refusedWith(app, token, 'updateNodes', { ids: [world.nodeId], set: { mtu: 1500 } })).toBe(
        'FORBIDDEN',
      )
  })

  test('a filter says which; a dry run changes nothing, and another version than the expected one is a conflict', async () => {
    const before = [await rows(), await cluster()]
    const input = { clusterId: world.clusterId, filter: { isAdmin: false }, set: { mtu: 1400, isRelay: true } }
    const trial = await call('updateNodes', { ...input, dryRun: true })
    expect(trial.results).toMatchObject([{ nodeId: world.nodeId, changed: true, node: { mtu: 1400 } }])
    expect(trial.clusters[0]?.plan?.version).toBe((await cluster()).configVersion + 1)
    expect([await rows(), await cluster()]).toEqual(before)
    const conflict = await call('updateNodes', { ...input, expectedVersion: 1 })
    expect(conflict.__typename).toBe('ConflictError')
    expect([await rows(), await cluster()]).toEqual(before)
    expect((await call('updateNodes', input)).results).toMatchObject([{ node: { mtu: 1400 } }])
    for (const wrong of [{}, { ids: [world.nodeId], filter: {} }, { ids: [] }, { clusterId: world.clusterId }])
      expect((await call('updateNodes', { ...wrong, set: { mtu: 1400 } })).__typename).toBe('ValidationError')
    const tooLong = { clusterId: world.clusterId, filter: { not: { name: 'x'.repeat(300) } }, set: { mtu: 1400 } }
    expect(await call('updateNodes', tooLong)).toMatchObject({
      issues: [{ path: ['input', 'filter', 'not', 'name'] }],
    })
  })

  test('labels are set and removed per key', async () => {
    await call('updateNodes', {
      ids: [world.nodeId],
      setLabels: [
        { key: 'site', value: 'a' },
        { key: 'rack', value: '1' },
      ],
    })
    await call('updateNodes', {
      ids: [world.nodeId, world.adminNodeId],
      setLabels: [{ key: 'site', value: 'b' }],
      removeLabels: ['rack'],
    })
    expect((await rows()).map(({ labels }) => labels)).toEqual([{ site: 'b' }, { site: 'b' }])
  })

  test('many are deleted, and many get new tokens', async () => {
    const made = await Promise.all(
      ['a', 'b', 'c'].map((name) => createNode(app, world.admin, { clusterId: world.clusterId, name })),
    )
    const ids = made.map(({ id }) => id)
    const { tokens } = await mutate<{ tokens: { nodeId: string; token: string }[] }>(
      ...([app, world.admin, 'rotateNodeTokens', { ids }, 'tokens { nodeId token }'] as const),
    )
    expect(tokens.map(({ nodeId }) => nodeId)).toEqual(ids)
    const viewer = '{ viewer { ... on Node { id } } }'
    for (const { nodeId, token } of tokens) expect(await app.ask(token, viewer)).toEqual({ viewer: { id: nodeId } })
    for (const { token } of made) expect((await app.answer(token, viewer)).errors).toBeDefined()
    const { configVersion } = await cluster()
    await call('deleteNodes', { ids })
    expect((await rows()).filter(({ id }) => ids.includes(id))).toEqual([])
    expect((await cluster()).configVersion).toBe(configVersion + 1)
    const last = await call('deleteNodes', { ids: [world.adminNodeId] }, world.adminNodeToken)
    expect(last.__typename).toBe('ConflictError')
  })

  test('a blocked node is cut off and hears why; unblocked, it gets a new certificate for its key', async () => {
    // The world's bundle is none that nodes could read.
    await app.database.client.configBundle.deleteMany({ where: { clusterId: world.clusterId } })
    const identity = await certify(app, world.nodeToken)
    const peer = await certify(app, world.adminNodeToken)
    const [fingerprint] = (await rows())
      .filter(({ id }) => id === world.nodeId)
      .map((row) => row.certificateFingerprint)
    const { results } = await call('blockNodes', { ids: [world.nodeId], reason: 'stolen' })
    expect(results).toMatchObject([{ changed: true, node: { blockedAt: expect.any(String) } }])
    expect((await cluster()).pendingChanges).toMatch(/: blocked \(stolen\) \(/)
    expect((await cluster()).pkiCrl).toContain(fingerprint)
    await app.publish()
    const config = (await fetchSlice(app, world.adminNodeToken, peer)).config
    expect(config).toContain(fingerprint)
    // Its token is known, and does nothing.
    const response = await app.fetch('/bundle', { headers: { authorization: `Bearer ${world.nodeToken}` } })
    expect([response.status, await response.text()]).toEqual([403, expect.stringMatching(/This node is blocked/)])
    for (const query of ['{ viewer { __typename } }', '{ node(id: "' + world.nodeId + '") { id } }'])
      expect((await app.answer(world.nodeToken, query)).errors?.[0]?.message).toMatch(/This node is blocked/)
    await expect(certify(app, world.nodeToken)).rejects.toThrow(/This node is blocked/)
    // A change of its groups gives it no certificate.
    await call('updateNodes', { ids: [world.nodeId], addGroups: ['web'] })
    await mutate(app, world.admin, 'updateNodeGroups', { nodeId: world.nodeId, groups: ['db'] })
    await app.publish()
    expect((await rows()).find(({ id }) => id === world.nodeId)?.certificate).toBeNull()

    await call('unblockNodes', { ids: [world.nodeId] })
    await app.publish()
    const slice = await fetchSlice(app, world.nodeToken, identity)
    expect(slice).toBeDefined()
    const row = (await rows()).find(({ id }) => id === world.nodeId)
    expect(row).toMatchObject({ blockedAt: null, certificate: expect.any(String), groups: ['db'] })
    expect((await cluster()).pkiCrl).not.toContain(row?.certificateFingerprint)
  })

  test('several changes of a cluster are one version, one line each, all or none', async () => {
    const before = [await rows(), await cluster()] as const
    const payload = 'cluster { configVersion } createdNodes { index token node { name } } warnings { code path }'
    const changes = [
      { updateClusterLighthouse: { lighthousePort: 4300 } },
      { createNode: { name: 'new', groups: ['web'] } },
      { updateNodeMtu: { nodeId: world.nodeId, mtu: 1500 } },
      { deleteNode: { nodeId: world.adminNodeId } },
    ]
    const bad = [...changes, { updateNodeMtu: { nodeId: world.adminNodeId, mtu: 1400 } }]
    const input = { clusterId: world.clusterId }
    const refused = await mutate(app, world.admin, 'changeCluster', { ...input, changes: bad })
    expect(refused.__typename).toBe('NotFoundError')
    const invalid = await mutate(app, world.admin, 'changeCluster', {
      ...input,
      changes: [...changes, { updateNodeMtu: { nodeId: world.nodeId, mtu: 3 } }],
    })
    expect(invalid.issues?.[0]?.path).toEqual(['input', 'changes', '4', 'updateNodeMtu', 'mtu'])
    const trial = await mutate<{ createdNodes: { token: string | null }[] }>(
      ...([app, world.admin, 'changeCluster', { ...input, changes, dryRun: true }, payload] as const),
    )
    expect(trial.createdNodes[0]?.token).toBeNull()
    expect([await rows(), await cluster()]).toEqual(before)
    const made = await mutate<{
      createdNodes: { index: number; token: string }[]
      warnings: { code: string; path: string[] }[]
    }>(app, world.admin, 'changeCluster', { ...input, changes }, payload)
    expect(made.createdNodes).toMatchObject([
      { index: 1, node: { name: 'new' }, token: expect.stringMatching(/^orn_/) },
    ])
    expect(made.warnings).toContainEqual({
      code: 'MTU_TOO_LARGE',
      path: ['input', 'changes', '2', 'updateNodeMtu', 'mtu'],
    })
    const after = await cluster()
    expect(after.configVersion).toBe(before[1].configVersion + 1)
    expect(
      after.pendingChanges
        ?.split('\n')
        .slice(-4)
        .map((line) => line.replace(/ \(.*/, '')),
    ).toEqual([
      expect.stringMatching(/lighthouse/i),
      'new: created',
      expect.stringMatching(/: MTU 1500$/),
      expect.stringMatching(/: deleted$/),
    ])
    // A node of another cluster is none of this one's, even if it is the caller's.
    const foreign = await mutate<{ cluster: { id: string } }>(
      app,
      world.admin,
      'createCluster',
      { name: 'other' },
      'cluster { id }',
    )
    const there = await createNode(app, world.admin, { clusterId: foreign.cluster.id, name: 'there' })
    const wrong = await mutate(app, world.admin, 'changeCluster', {
      ...input,
      changes: [{ updateNodeMtu: { nodeId: there.id, mtu: 1400 } }],
    })
    expect(wrong.__typename).toBe('NotFoundError')
  })
})
