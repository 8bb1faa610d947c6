import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { planOf } from '../../support/plans.ts'
import { bundleData, clusterData, nodeData } from '../../support/tenants.ts'
import { createWorld, type World } from '../../support/world.ts'

interface Convergence {
  readonly version: number | null
  readonly total: number
  readonly applied: number
  readonly pending: number
  readonly failed: number
  readonly unseen: number
  readonly slowestVersion: number | null
  readonly behindSince: string | null
  readonly furthestBehind: readonly { readonly name: string }[]
}

const fields = 'version total applied pending failed unseen slowestVersion behindSince furthestBehind { name }'
const minute = 60_000

describe.each(engines)('convergence on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'own', randomUUID())
  })
  afterAll(() => app.close())

  const published = (version: number) => new Date(Date.UTC(2026, 0, version))
  const newCluster = async (versions: readonly number[]) => {
    const { tenantId } = world
    const { id } = await app.database.client.cluster.create({ data: clusterData(tenantId, randomUUID(), randomUUID()) })
    const rows = versions.map((version) => ({ version, createdAt: published(version) }))
    await app.database.client.configBundle.createMany({
      data: rows.map((row) => ({ ...bundleData, ...row, tenantId, clusterId: id })),
    })
    return id
  }
  const addNode = async (clusterId: string, name: string, row: object = {}) => {
    const seen = { lastSeenAt: new Date(), certificate: 'signed' }
    await app.database.client.node.create({ data: { ...nodeData(world.tenantId, clusterId, name), ...seen, ...row } })
  }
  const convergence = async (id: string, token = world.viewer, of = fields) => {
    const query = `query ($id: UUID!) { cluster(id: $id) { convergence { ${of} } } }`
    return (await app.ask<{ cluster: { convergence: Convergence } }>(token, query, { id })).cluster.convergence
  }
  const outdated = async (clusterId: string, wanted: boolean) => {
    const query = `query ($id: UUID!, $outdated: Boolean) {
      nodes(clusterId: $id, filter: { outdated: $outdated }) { totalCount nodes { name } }
      cluster(id: $id) { nodes(filter: { outdated: $outdated }) { totalCount nodes { name } } } }`
    type Page = { totalCount: number; nodes: { name: string }[] }
    const { nodes, cluster } = await app.ask<{ nodes: Page; cluster: { nodes: Page } }>(world.viewer, query, {
      id: clusterId,
      outdated: wanted,
    })
    expect(cluster.nodes).toEqual(nodes)
    expect(nodes.totalCount).toBe(nodes.nodes.length)
    return nodes.nodes.map(({ name }) => name)
  }

  test('counts who runs the newest published version, who does not yet, and who cannot', async () => {
    const id = await newCluster([2, 4, 7])
    await addNode(id, 'newest', { runningConfigVersion: 7 })
    await addNode(id, 'newest, with an old complaint', { runningConfigVersion: 7, lastError: 'no' })
    await addNode(id, 'wanted, not published', { runningConfigVersion: 8 })
    await addNode(id, 'behind', { runningConfigVersion: 4 })
    await addNode(id, 'far behind', { runningConfigVersion: 3, lastSeenAt: new Date(Date.now() - 6 * minute) })
    await addNode(id, 'failing', { runningConfigVersion: 4, lastError: 'no' })
    await addNode(id, 'failing from the start', { lastError: 'no', lastSeenAt: null })
    await addNode(id, 'not taken by a machine', { certificate: null, lastError: 'no' })
    expect(await convergence(id)).toEqual({
      ...{ version: 7, total: 7, applied: 3, pending: 2, failed: 2, unseen: 2 },
      slowestVersion: null,
      behindSince: published(2).toISOString(),
      furthestBehind: ['failing from the start', 'far behind', 'behind', 'failing'].map((name) => ({ name })),
    })
    expect(await convergence(id, world.viewer, 'furthestBehind(first: 2) { name }')).toEqual({
      furthestBehind: [{ name: 'failing from the start' }, { name: 'far behind' }],
    })
    const behind = ['behind', 'failing', 'failing from the start', 'far behind', 'not taken by a machine']
    expect((await outdated(id, true)).sort()).toEqual(behind.sort())
    expect(await outdated(id, false)).toHaveLength(3)
  })

  test('says since when the slowest is behind, though versions are missing between', async () => {
    const id = await newCluster([2, 5, 9])
    await addNode(id, 'a', { runningConfigVersion: 3 })
    await addNode(id, 'b', { runningConfigVersion: 9 })
    expect(await convergence(id)).toMatchObject({ slowestVersion: 3, behindSince: published(5).toISOString() })
    await app.database.client.node.updateMany({ where: { clusterId: id }, data: { runningConfigVersion: 9 } })
    expect(await convergence(id)).toMatchObject({ slowestVersion: 9, behindSince: null, furthestBehind: [] })
  })

  test('nothing is behind before the first version, and where there are no nodes', async () => {
    const id = await newCluster([])
    const none = { version: null, slowestVersion: null, behindSince: null, furthestBehind: [], pending: 0, failed: 0 }
    expect(await convergence(id)).toEqual({ ...none, total: 0, applied: 0, unseen: 0 })
    await addNode(id, 'a', { lastError: 'no' })
    expect(await convergence(id)).toEqual({ ...none, total: 1, applied: 1, unseen: 0 })
    expect(await outdated(id, true)).toEqual([])
  })

  test('a cluster that was just deleted has none, and too many names are refused', async () => {
    const id = await newCluster([1])
    for (const first of [0, 51]) {
      const query = `{ cluster(id: "${id}") { convergence { furthestBehind(first: ${first}) { name } } } }`
      expect((await app.answer(world.viewer, query)).errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT')
    }
    const mutation = `mutation { deleteCluster(input: { clusterId: "${id}" }) {
      ... on DeleteClusterPayload { cluster { convergence { total } } } } }`
    expect(await app.ask(world.admin, mutation)).toEqual({ deleteCluster: { cluster: { convergence: { total: 0 } } } })
  })

  test('figures and filter are one statement each, and read no row of a node that is up to date', async () => {
    const id = await newCluster([1, 2])
    const statementsOf = async (query: string) => {
      app.takeStatements()
      await app.ask(app.operator, query)
      return app.takeStatements().filter((statement) => /\bnodes\b/.test(statement))
    }
    const figures = 'version total applied pending failed slowestVersion behindSince'
    const counts = await statementsOf(`{ cluster(id: "${id}") { convergence { ${figures} } } }`)
    expect(counts).toHaveLength(1)
    const page = await statementsOf(`{ nodes(clusterId: "${id}", filter: { outdated: true }) { nodes { name } } }`)
    expect(page).toHaveLength(1)
    const count = await statementsOf(`{ nodes(clusterId: "${id}", filter: { outdated: true }) { totalCount } }`)
    if (engine === 'postgresql') return
    const plans = await Promise.all([...counts, ...page, ...count].map((one) => planOf(app.database, one)))
    const [ofCounts = '', ofPage = '', ...ofCount] = plans
    expect(ofCounts).toContain(
      'INDEX idx_nodes_running_version (tenant_id=? AND cluster_id=? AND running_config_version>?)',
    )
    expect(ofCounts).toContain('INDEX idx_nodes_failing (tenant_id=? AND cluster_id=?)')
    expect(ofPage).toContain('INDEX idx_nodes_outdated (tenant_id=? AND cluster_id=?)')
    expect(ofPage).not.toContain('TEMP B-TREE')
    expect(ofPage).not.toContain('CORRELATED')
    expect(ofCount.join('\n')).toContain('x USING COVERING INDEX idx_nodes_outdated')
  })
})
