import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { createCa, exportCaKey } from '../../src/pki/ca.ts'
import { seedQueries } from './seed-queries.ts'
import { openScene } from './seed-scene.ts'

type Scene = Awaited<ReturnType<typeof openScene>>

describe('each query of the seed is reached through the API, by a caller who may', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene.app.close())

  const reached: Record<string, (scene: Scene) => Promise<void>> = {
    GetTenant: async ({ world, ask }) => {
      expect(await ask(`tenant(id: "${world.tenantId}") { name }`)).toEqual({ tenant: { name: 'seed-tenant' } })
    },
    ListTenants: async ({ app, ask, named }) => {
      expect(await ask('tenants { nodes { name } }', app.operator)).toEqual({
        tenants: named('other-tenant', 'seed-tenant'),
      })
    },
    CountTenants: async ({ app, ask }) => {
      expect(await ask('tenants { totalCount }', app.operator)).toEqual({ tenants: { totalCount: 2 } })
    },
    CreateTenant: async ({ app, ask, change, aTenant }) => {
      const { id, name } = await aTenant()
      expect(await ask(`tenant(id: "${id}") { name }`, app.operator)).toEqual({ tenant: { name } })
      await change('deleteTenant', { id }, '__typename', app.operator)
    },
    DeleteTenant: async ({ app, ask, change, aTenant }) => {
      const { id } = await aTenant()
      await change('deleteTenant', { id }, '__typename', app.operator)
      expect(await ask(`tenant(id: "${id}") { name }`, app.operator)).toEqual({ tenant: null })
    },
    GetCluster: async ({ cluster }) => {
      expect(await cluster('name')).toEqual({ name: 'seed-cluster' })
    },
    GetClusterByID: async ({ app, other, ask }) => {
      const fields = `cluster(id: "${other.clusterId}") { name }`
      expect(await ask(fields, app.operator)).toEqual({ cluster: { name: 'other-cluster' } })
      expect(await ask(fields)).toEqual({ cluster: null })
    },
    ListClusters: async ({ ask, named }) => {
      expect(await ask('clusters { nodes { name } }')).toEqual({ clusters: named('seed-cluster') })
    },
    ListAllClusters: async ({ app, ask, named }) => {
      expect(await ask('clusters { nodes { name } }', app.operator)).toEqual({
        clusters: named('other-cluster', 'seed-cluster'),
      })
    },
    CountClusters: async ({ ask }) => {
      expect(await ask('clusters { totalCount }')).toEqual({ clusters: { totalCount: 1 } })
    },
    CreateCluster: async ({ ask, change, aCluster }) => {
      const made = await aCluster()
      expect(await ask(`cluster(id: "${made.cluster.id}") { name }`)).toEqual({ cluster: { name: made.cluster.name } })
      await change('deleteCluster', { clusterId: made.cluster.id }, '__typename')
    },
    DeleteCluster: async ({ ask, change, aCluster }) => {
      const { cluster: made } = await aCluster()
      await change('deleteCluster', { clusterId: made.id }, '__typename')
      expect(await ask(`cluster(id: "${made.id}") { name }`)).toEqual({ cluster: null })
    },
    GetClusterVersion: async ({ cluster }) => {
      expect(await cluster('configVersion')).toEqual({ configVersion: expect.any(Number) })
    },
    UpdateClusterVersion: async ({ world, cluster, change }) => {
      const before = Number((await cluster('configVersion'))?.['configVersion'])
      await change('publishClusterConfig', { clusterId: world.clusterId }, '__typename')
      expect(await cluster('configVersion')).toEqual({ configVersion: before + 1 })
    },
    UpdateClusterTokenHash: async ({ world, ask, change }) => {
      const { token } = await change('rotateClusterToken', { clusterId: world.clusterId }, 'token')
      expect(await ask('viewer { __typename }', String(token))).toEqual({ viewer: { __typename: 'EnrollingMachine' } })
    },
    UpdateClusterPKI: async ({ ask, change, aCluster }) => {
      const { cluster: made } = await aCluster()
      const limits = { networks: [], unsafeNetworks: [], groups: [] }
      const times = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 100 * 86_400_000) }
      const ca = createCa({ version: 1, name: 'imported', ...times, ...limits })
      const input = { clusterId: made.id, caCertificate: ca.certificate.pem, caKey: exportCaKey(ca) }
      await change('importClusterPki', input, '__typename')
      expect(await ask(`cluster(id: "${made.id}") { caCertificate }`)).toEqual({
        cluster: { caCertificate: ca.certificate.pem },
      })
      await change('deleteCluster', { clusterId: made.id }, '__typename')
    },
    UpdateClusterLighthouse: async ({ world, cluster, change }) => {
      await change('updateClusterLighthouse', { clusterId: world.clusterId, lighthousePort: 4343 }, '__typename')
      expect(await cluster('lighthousePort')).toEqual({ lighthousePort: 4343 })
    },
    GetClusterState: async ({ instanceId, cluster }) => {
      expect(await cluster(`state(instanceId: "${instanceId}") { runningConfigVersion }`)).toEqual({
        state: { runningConfigVersion: 1 },
      })
    },
    ListClusterStates: async ({ instanceId, cluster }) => {
      expect(await cluster('states { instanceId }')).toEqual({ states: [{ instanceId }] })
    },
    UpsertClusterState: async ({ app, world, instanceId, cluster, change }) => {
      const input = { clusterId: world.clusterId, instanceId, runningConfigVersion: 2 }
      await change('reportClusterState', input, '__typename', app.operator)
      expect(await cluster('states { runningConfigVersion }')).toEqual({ states: [{ runningConfigVersion: 2 }] })
    },
    GetStaleClusters: async ({ app, instanceId, ask, named }) => {
      expect(await ask(`staleClusters(instanceId: "${instanceId}") { name }`, app.operator)).toEqual({
        staleClusters: named('other-cluster', 'seed-cluster').nodes,
      })
    },
    DeleteClusterState: async ({ app, world, instanceId, cluster, change }) => {
      await change('deleteClusterState', { clusterId: world.clusterId, instanceId }, '__typename', app.operator)
      expect(await cluster('states { instanceId }')).toEqual({ states: [] })
    },
    GetReplica: async ({ app, ask, aReplica }) => {
      const { id, address } = await aReplica()
      expect(await ask(`replica(by: { id: "${id}" }) { address }`, app.operator)).toEqual({ replica: { address } })
    },
    GetReplicaByAddress: async ({ app, ask, aReplica }) => {
      const { id, address } = await aReplica()
      expect(await ask(`replica(by: { address: "${address}" }) { id }`, app.operator)).toEqual({ replica: { id } })
    },
    ListReplicas: async ({ app, ask, aReplica }) => {
      const { id } = await aReplica()
      expect((await ask('replicas { id }', app.operator))['replicas']).toContainEqual({ id })
    },
    ListHealthyReplicas: async ({ app, ask, aReplica }) => {
      const { id } = await aReplica()
      const healthy = async () => (await ask('replicas(filter: { healthy: true }) { id }', app.operator))['replicas']
      expect(await healthy()).toContainEqual({ id })
      await app.database.client.replica.update({ where: { id }, data: { lastSeenAt: new Date(0) } })
      expect(await healthy()).not.toContainEqual({ id })
    },
    UpsertReplica: async ({ app, ask, aReplica }) => {
      const { id, address } = await aReplica()
      expect((await aReplica(address)).id).not.toBe(id)
      expect(await ask(`replica(by: { id: "${id}" }) { id }`, app.operator)).toEqual({ replica: null })
    },
    UpdateReplicaHeartbeat: async ({ app, change, aReplica }) => {
      const { id } = await aReplica()
      await app.database.client.replica.update({ where: { id }, data: { lastSeenAt: new Date(0) } })
      const { replica } = await change('heartbeatReplica', { id }, 'replica { isHealthy }', app.operator)
      expect(replica).toEqual({ isHealthy: true })
    },
    UpdateReplicaRole: async ({ app, change, aReplica }) => {
      const { id } = await aReplica()
      const { replica } = await change('updateReplicaRole', { id, role: 'MASTER' }, 'replica { role }', app.operator)
      expect(replica).toEqual({ role: 'MASTER' })
    },
    GetMaster: async ({ app, ask }) => {
      expect(await ask('master { role }', app.operator)).toEqual({ master: { role: 'MASTER' } })
    },
    CountMasters: async ({ app, ask }) => {
      const masters = await ask('replicas(filter: { role: MASTER }) { role }', app.operator)
      expect(masters).toEqual({ replicas: [{ role: 'MASTER' }] })
    },
    DeleteReplica: async ({ app, ask, change, aReplica }) => {
      const { id } = await aReplica()
      await change('deleteReplica', { id }, '__typename', app.operator)
      expect(await ask(`replica(by: { id: "${id}" }) { id }`, app.operator)).toEqual({ replica: null })
    },
    PruneStaleReplicas: async ({ app, ask }) => {
      await app.database.client.replica.updateMany({ data: { lastSeenAt: new Date(0) } })
      const { pruneStaleReplicas } = await app.ask<{ pruneStaleReplicas: { pruned: number } }>(
        app.operator,
        'mutation { pruneStaleReplicas { ... on PruneStaleReplicasPayload { pruned } } }',
      )
      expect(pruneStaleReplicas.pruned).toBeGreaterThan(0)
      expect(await ask('replicas { id }', app.operator)).toEqual({ replicas: [] })
    },
    GetNode: async ({ world, node }) => {
      expect(await node(world.nodeId, 'name')).toEqual({ name: 'seed-node' })
    },
    GetNodeByID: async ({ app, other, node }) => {
      expect(await node(other.nodeId, 'name', app.operator)).toEqual({ name: 'other-node' })
      expect(await node(other.nodeId, 'name')).toBeNull()
    },
    GetNodeByTokenHash: async ({ world, ask }) => {
      expect(await ask('viewer { ... on Node { name } }', world.nodeToken)).toEqual({
        viewer: { name: 'seed-node' },
      })
    },
    ListNodes: async ({ nodes, named }) => {
      expect(await nodes(', first: 2', 'nodes { name }')).toEqual(named('lighthouse', 'relay'))
    },
    ListAllNodesInCluster: async ({ nodes }) => {
      const found: string[] = []
      for (let after = ''; ;) {
        const page = (await nodes(`, first: 2${after}`, 'nodes { name } pageInfo { hasNextPage endCursor }')) as {
          nodes: { name: string }[]
          pageInfo: { hasNextPage: boolean; endCursor: string }
        }
        found.push(...page.nodes.map(({ name }) => name))
        if (!page.pageInfo.hasNextPage) break
        after = `, after: "${page.pageInfo.endCursor}"`
      }
      expect(found).toEqual(['lighthouse', 'relay', 'seed-admin-node', 'seed-node'])
    },
    ListLighthouses: async ({ nodes, named }) => {
      expect(await nodes(', filter: { isLighthouse: true }', 'nodes { name }')).toEqual(named('lighthouse'))
    },
    ListRelays: async ({ nodes, named }) => {
      expect(await nodes(', filter: { isRelay: true }', 'nodes { name }')).toEqual(named('relay'))
    },
    ListNodesWithRoutes: async ({ nodes, named }) => {
      expect(await nodes(', filter: { hasRoutes: true }', 'nodes { name }')).toEqual(named('seed-node'))
    },
    CountNodes: async ({ nodes }) => {
      expect(await nodes('', 'totalCount')).toEqual({ totalCount: 4 })
    },
    CountAdminNodes: async ({ nodes }) => {
      expect(await nodes(', filter: { isAdmin: true }', 'totalCount')).toEqual({ totalCount: 1 })
    },
    CreateNode: async ({ node, aNode }) => {
      const { id } = await aNode({ mtu: 1400 })
      expect(await node(id, 'mtu')).toEqual({ mtu: 1400 })
    },
    UpdateNodeTokenHash: async ({ ask, change, aNode }) => {
      const { id } = await aNode()
      const { token } = await change('rotateNodeToken', { nodeId: id }, 'token')
      expect(await ask('viewer { ... on Node { id } }', String(token))).toEqual({ viewer: { id } })
    },
    UpdateNodeMTU: async ({ world, node, change }) => {
      await change('updateNodeMtu', { nodeId: world.nodeId, mtu: 1350 }, '__typename')
      expect(await node(world.nodeId, 'mtu')).toEqual({ mtu: 1350 })
    },
    UpdateNodeRoutes: async ({ world, node, change }) => {
      await change('updateNodeRoutes', { nodeId: world.nodeId, routes: ['192.168.7.0/24'] }, '__typename')
      expect(await node(world.nodeId, 'routes')).toEqual({ routes: ['192.168.7.0/24'] })
    },
    UpdateNodeLighthouse: async ({ node, change, aNode }) => {
      const { id } = await aNode()
      const input = { nodeId: id, isLighthouse: true, lighthousePublicIp: '203.0.113.2' }
      await change('updateNodeLighthouse', input, '__typename')
      expect(await node(id, 'isLighthouse')).toEqual({ isLighthouse: true })
    },
    UpdateNodeRelay: async ({ node, change, aNode }) => {
      const { id } = await aNode()
      await change('updateNodeRelay', { nodeId: id, isRelay: true }, '__typename')
      expect(await node(id, 'isRelay')).toEqual({ isRelay: true })
    },
    DeleteNode: async ({ node, change, aNode }) => {
      const { id } = await aNode()
      await change('deleteNode', { nodeId: id }, '__typename')
      expect(await node(id, 'id')).toBeNull()
    },
    GetBundle: async ({ bundle }) => {
      expect(await bundle(', version: 1000')).toEqual({ version: 1000, message: 'seed-message' })
    },
    GetLatestBundle: async ({ bundle }) => {
      expect(await bundle()).toEqual({ version: 1000, message: 'seed-message' })
    },
    GetLatestBundleVersion: async ({ newest }) => {
      expect(await newest()).toBe(1000)
    },
    ListBundles: async ({ cluster }) => {
      expect(await cluster('bundles { nodes { version } }')).toEqual({ bundles: { nodes: [{ version: 1000 }] } })
    },
    CountBundles: async ({ cluster }) => {
      expect(await cluster('bundles { totalCount }')).toEqual({ bundles: { totalCount: 1 } })
    },
    CreateBundle: async ({ uploaded, bundle }) => {
      const version = await uploaded()
      expect(await bundle(`, version: ${version}`)).toMatchObject({ version })
    },
    DeleteBundle: async ({ world, change, bundle }) => {
      const input = { clusterId: world.clusterId, version: 1000 }
      await change('deleteConfigBundle', input, '__typename')
      expect(await bundle(', version: 1000')).toBeNull()
    },
    DeleteOldBundles: async ({ world, cluster, change, uploaded }) => {
      await uploaded()
      const input = { clusterId: world.clusterId, keep: 1 }
      expect(await change('deleteOldConfigBundles', input, 'deletedCount')).toMatchObject({ deletedCount: 1 })
      expect(await cluster('bundles { totalCount }')).toEqual({ bundles: { totalCount: 1 } })
    },
  }

  test.each(Object.entries(reached))('%s', async (_query, reach) => {
    await reach(scene)
  })

  test('and none is missing', () => {
    expect(Object.keys(reached).sort()).toEqual([...seedQueries].sort())
  })
})
