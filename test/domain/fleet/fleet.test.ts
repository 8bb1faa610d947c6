import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { listen, type Listening } from '../../../src/http/server/server.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { openStream } from '../../support/streams.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const day = 86_400_000

const figures = `
  cluster { id name tenant { id } }
  clusterId name tenantId
  nodes { all online outdated failing offline pending blocked }
  convergence { total applied pending failed }
  certificatesEndingWithin7Days certificatesEndingWithin30Days
  caExpiresAt caStatus caRotationPhase unpublishedVersions unpublishedSince`
const query = `query ($id: UUID) {
  fleet(tenantId: $id) {
    isTruncated
    clusters { ${figures} }
    tenants {
      tenant { id } nodes { all offline } clusters total applied pending failed rotating unpublished
      certificatesEndingWithin7Days certificatesEndingWithin30Days caExpiresAt
    }
  }
}`
interface Fleet {
  readonly fleet: {
    readonly isTruncated: boolean
    readonly clusters: readonly { readonly clusterId: string; readonly tenantId: string }[]
    readonly tenants: readonly object[]
  }
}

const subscription = `subscription ($id: UUID) {
  fleetChanged(tenantId: $id) {
    __typename
    ... on FleetResync { resyncOf: tenantId }
    ... on FleetFiguresChanged { figures { clusterId convergence { total failed } } }
    ... on FleetProblem { problem figures { clusterId cluster { name } } }
    ... on FleetClusterAdded { figures { clusterId } }
    ... on FleetClusterRemoved { clusterId }
    ... on FleetTenantAdded { tenantId }
    ... on FleetTenantRemoved { tenantId }
  }
}`

describe.each(engines)('the fleet on %s', (engine) => {
  let app: TestApp
  let world: World
  let other: World
  let server: Listening
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'fleet', randomUUID())
    other = await createWorld(app, 'other', randomUUID())
    server = await listen(app.app, { host: '127.0.0.1', port: 0 })
  })
  afterAll(async () => {
    await server.close()
    await app.close()
  })

  const certify = (id: string, days: number) =>
    app.database.client.node.update({
      where: { id },
      data: { certificate: 'signed', certificateExpiresAt: new Date(Date.now() + days * day) },
    })

  test('counts the nodes and certificates of each cluster, and their sums for the tenant', async () => {
    await certify(world.nodeId, 3)
    await certify(world.adminNodeId, 20)
    const { id } = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'blocked' })
    await app.database.client.node.update({ where: { id }, data: { blockedAt: new Date() } })
    const { fleet } = await app.ask<Fleet>(world.viewer, query)
    const [cluster] = fleet.clusters
    expect(fleet.isTruncated).toBe(false)
    expect(cluster).toMatchObject({
      cluster: { id: world.clusterId, name: 'fleet-cluster', tenant: { id: world.tenantId } },
      nodes: { all: 3, online: 0, outdated: 0, failing: 0, offline: 2, pending: 0, blocked: 1 },
      convergence: { total: 2, applied: 0, pending: 2, failed: 0 },
      ...{ certificatesEndingWithin7Days: 1, certificatesEndingWithin30Days: 2 },
      ...{ caStatus: 'VALID', caRotationPhase: null, unpublishedVersions: 4 },
      unpublishedSince: expect.any(String) as unknown,
    })
    expect(fleet.tenants).toEqual([
      {
        tenant: { id: world.tenantId },
        nodes: { all: 3, offline: 2 },
        ...{ clusters: 1, total: 2, applied: 0, pending: 2, failed: 0, rotating: 0, unpublished: 1 },
        ...{ certificatesEndingWithin7Days: 1, certificatesEndingWithin30Days: 2 },
        caExpiresAt: (cluster as { caExpiresAt?: string } | undefined)?.caExpiresAt,
      },
    ])
    const published = { publishedConfigVersion: 1000 }
    await app.database.client.cluster.update({ where: { id: world.clusterId }, data: published })
    expect((await app.ask<Fleet>(world.viewer, query)).fleet.clusters).toMatchObject([
      { unpublishedVersions: 0, unpublishedSince: null },
    ])
  })

  test('shows an operator all tenants, or the one asked for; a foreign tenant is one that does not exist', async () => {
    const clustersFor = async (token: string, id: string | null) =>
      (await app.ask<Fleet>(token, query, { id })).fleet.clusters.map(({ clusterId }) => clusterId)
    expect((await clustersFor(app.operator, null)).sort()).toEqual([world.clusterId, other.clusterId].sort())
    expect(await clustersFor(app.operator, other.tenantId)).toEqual([other.clusterId])
    expect(await clustersFor(world.viewer, world.tenantId)).toEqual([world.clusterId])
    for (const [token, id] of [
      [world.admin, other.tenantId],
      [world.admin, randomUUID()],
      [app.operator, randomUUID()],
    ] as const) {
      await expect(clustersFor(token, id)).rejects.toThrow('NOT_FOUND')
    }
    for (const token of [world.nodeToken, world.adminNodeToken]) {
      await expect(clustersFor(token, null)).rejects.toThrow('FORBIDDEN')
    }
  })

  test('takes as many statements for 500 clusters as for one', async () => {
    const { id: tenantId } = await app.database.client.tenant.create({ data: { id: randomUUID(), name: 'large' } })
    const counts: number[] = []
    for (const total of [1, 50, 500]) {
      const present = await app.database.client.cluster.count({ where: { tenantId } })
      const data = Array.from({ length: total - present }, (_, index) => ({
        ...{ id: randomUUID(), tenantId, name: `c${present + index}`, clusterTokenHash: randomUUID() },
        firewall: { inbound: [], outbound: [] },
      }))
      await app.database.client.cluster.createMany({ data })
      app.takeStatements()
      const few =
        'query ($id: UUID) { fleet(tenantId: $id) { clusters { clusterId nodes { all } convergence { total } } } }'
      expect((await app.ask<Fleet>(app.operator, few, { id: tenantId })).fleet.clusters).toHaveLength(total)
      counts.push(app.takeStatements().length)
    }
    expect(counts).toEqual([5, 5, 5])
    await app.database.client.tenant.delete({ where: { id: tenantId } })
  })

  const follow = (token: string, id: string | null = null) =>
    openStream<object>(server.url, token, { query: subscription, variables: { id } })

  /** A stream that has begun, and whose first figures are read. */
  async function following(token: string, id: string | null = null) {
    const stream = await follow(token, id)
    expect(await stream.next()).toMatchObject({ __typename: 'FleetResync' })
    return stream
  }

  test('one stream tells of every cluster that its caller sees, and of no other', async () => {
    const [operator, admin] = [await following(app.operator), await following(world.admin)]
    await createNode(app, other.admin, { clusterId: other.clusterId, name: 'foreign' })
    await certify((await createNode(app, world.admin, { clusterId: world.clusterId, name: 'own' })).id, 90)
    await mutate(app, world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu: 1400 })
    const seen = new Set<string>()
    while (seen.size < 2) seen.add(/"clusterId":"([^"]*)/.exec(JSON.stringify(await operator.next()))?.[1] ?? '')
    expect([...seen].sort()).toEqual([world.clusterId, other.clusterId].sort())
    let told = await admin.next()
    while (!JSON.stringify(told).includes('"total":3')) {
      expect(told).toMatchObject({ figures: { clusterId: world.clusterId } })
      told = await admin.next()
    }
    await Promise.all([operator.close(), admin.close()])
  })

  test('a failing node is a problem', async () => {
    const stream = await following(world.viewer)
    await certify(world.nodeId, 90)
    await mutate(app, world.nodeToken, 'reportNodeStatus', { lastError: 'does not start' })
    await app.flush()
    let told = await stream.next()
    while (!JSON.stringify(told).includes('FleetProblem')) told = await stream.next()
    expect(told).toMatchObject({ problem: 'NODES_FAILED', figures: { cluster: { name: 'fleet-cluster' } } })
    await stream.close()
  })

  test('operators are told of tenants; a deleted cluster ends no stream, a deleted tenant those of its own', async () => {
    const operator = await following(app.operator)
    const gone = await createWorld(app, `gone-${engine}`, randomUUID())
    const [own, watching] = [await following(gone.admin), await following(app.operator, gone.tenantId)]
    await mutate(app, gone.admin, 'deleteCluster', { clusterId: gone.clusterId })
    const removed = { __typename: 'FleetClusterRemoved', clusterId: gone.clusterId }
    await mutate(app, app.operator, 'deleteTenant', { id: gone.tenantId })
    const toldOperator: unknown[] = []
    while (!JSON.stringify(toldOperator.at(-1) ?? '').includes('FleetTenantRemoved')) {
      toldOperator.push(await operator.next())
    }
    expect(toldOperator).toContainEqual({ __typename: 'FleetTenantRemoved', tenantId: gone.tenantId })
    for (const stream of [own, watching]) {
      let told = await stream.next()
      while (told !== 'complete') {
        expect([removed.__typename, 'FleetFiguresChanged']).toContain((told as { __typename?: string }).__typename)
        told = await stream.next()
      }
    }
    await operator.close()
  })

  test('a foreign tenant is one that does not exist, and nodes may not follow', async () => {
    for (const id of [other.tenantId, randomUUID()])
      expect(await (await follow(world.admin, id)).next()).toEqual(['NOT_FOUND'])
    expect(await (await follow(world.adminNodeToken)).next()).toEqual(['FORBIDDEN'])
  })
})
