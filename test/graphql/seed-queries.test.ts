import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import { createCa, exportCaKey } from '../../src/pki/ca.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { send } from '../support/multipart.ts'
import { mutate } from '../support/mutate.ts'
import { fileMark } from '../support/schema-walk.ts'
import { createNode, createWorld, type World } from '../support/world.ts'
import { seedQueries } from './seed-queries.ts'

describe('each query of the seed is reached through the API, by a caller who may', () => {
  let app: TestApp
  let world: World
  /** Of another tenant, for what only an operator sees. */
  let other: World
  const instanceId = randomUUID()

  beforeAll(async () => {
    app = await startApp('sqlite')
    world = await createWorld(app, 'seed', instanceId)
    other = await createWorld(app, 'other', randomUUID())
    await createNode(app, world.admin, { clusterId: world.clusterId, name: 'relay', isRelay: true })
    const lighthouse = { isLighthouse: true, lighthousePublicIp: '203.0.113.1' }
    await createNode(app, world.admin, { clusterId: world.clusterId, name: 'lighthouse', ...lighthouse })
  })
  afterAll(() => app.close())

  type Answer = Record<string, unknown>
  /** Asks for fields of Query, as the tenant's admin if no other token is given. */
  const ask = (fields: string, token = world.admin) => app.ask<Answer>(token, `{ ${fields} }`)
  const cluster = async (fields: string) => {
    const { cluster: found } = await app.ask<{ cluster: Answer | null }>(
      world.admin,
      `query ($id: UUID!) { cluster(id: $id) { ${fields} } }`,
      { id: world.clusterId },
    )
    return found
  }
  const node = async (id: string, fields: string, token = world.admin) =>
    (await ask(`node(id: "${id}") { ${fields} }`, token))['node']
  const nodes = async (filter: string, fields: string) =>
    (await ask(`nodes(clusterId: "${world.clusterId}"${filter}) { ${fields} }`))['nodes']
  const named = (...names: string[]) => ({ nodes: names.map((name) => ({ name })) })
  /** A mutation with the payload that it answers. */
  const change = async (name: string, input: object, payload: string, token = world.admin) => {
    const outcome = await mutate(app, token, name, input, payload)
    expect(outcome.__typename).toBe(`${name.charAt(0).toUpperCase()}${name.slice(1)}Payload`)
    return outcome
  }
  const aNode = (input: object = {}) =>
    createNode(app, world.admin, { clusterId: world.clusterId, name: randomUUID(), ...input })
  const aCluster = async () => {
    const made = await change('createCluster', { name: randomUUID() }, 'cluster { id name } token')
    return made as unknown as { cluster: { id: string; name: string }; token: string }
  }
  const aTenant = async () => {
    const { tenant } = await change('createTenant', { name: randomUUID() }, 'tenant { id name }', app.operator)
    return tenant as { id: string; name: string }
  }
  const aReplica = async (address = `http://${randomUUID()}.example/`) => {
    const { replica } = await change('registerReplica', { address }, 'replica { id address }', app.operator)
    return replica as { id: string; address: string }
  }
  const uploaded = async () => {
    const query = `mutation ($input: CreateConfigBundleInput!) { createConfigBundle(input: $input) {
      ... on CreateConfigBundlePayload { configBundle { version } } ... on Error { message } } }`
    const archive = await packBundle([{ path: 'config.yml', content: 'logging:\n  level: debug\n' }])
    const input = { clusterId: world.clusterId, archive: fileMark }
    const { text } = await send(app, world.admin, query, { input }, archive)
    const { data } = JSON.parse(text) as { data: { createConfigBundle: { configBundle: { version: number } } } }
    return data.createConfigBundle.configBundle.version
  }
  const bundle = async (version = '') =>
    (await ask(`configBundle(clusterId: "${world.clusterId}"${version}) { version message }`))['configBundle']
  const newest = async () => (await cluster('latestBundleVersion'))?.['latestBundleVersion']

  const reached: Record<string, () => Promise<void>> = {
    GetTenant: async () => {
      expect(await ask(`tenant(id: "${world.tenantId}") { name }`)).toEqual({ tenant: { name: 'seed-tenant' } })
    },
    ListTenants: async () => {
      expect(await ask('tenants { nodes { name } }', app.operator)).toEqual({
        tenants: named('other-tenant', 'seed-tenant'),
      })
    },
    CountTenants: async () => {
      expect(await ask('tenants { totalCount }', app.operator)).toEqual({ tenants: { totalCount: 2 } })
    },
    CreateTenant: async () => {
      const { id, name } = await aTenant()
      expect(await ask(`tenant(id: "${id}") { name }`, app.operator)).toEqual({ tenant: { name } })
      await change('deleteTenant', { id }, '__typename', app.operator)
    },
    DeleteTenant: async () => {
      const { id } = await aTenant()
      await change('deleteTenant', { id }, '__typename', app.operator)
      expect(await ask(`tenant(id: "${id}") { name }`, app.operator)).toEqual({ tenant: null })
    },
    GetCluster: async () => {
      expect(await cluster('name')).toEqual({ name: 'seed-cluster' })
    },
    GetClusterByID: async () => {
      const fields = `cluster(id: "${other.clusterId}") { name }`
      expect(await ask(fields, app.operator)).toEqual({ cluster: { name: 'other-cluster' } })
      expect(await ask(fields)).toEqual({ cluster: null })
    },
    ListClusters: async () => {
      expect(await ask('clusters { nodes { name } }')).toEqual({ clusters: named('seed-cluster') })
    },
    ListAllClusters: async () => {
      expect(await ask('clusters { nodes { name } }', app.operator)).toEqual({
        clusters: named('other-cluster', 'seed-cluster'),
      })
    },
    CountClusters: async () => {
      expect(await ask('clusters { totalCount }')).toEqual({ clusters: { totalCount: 1 } })
    },
    CreateCluster: async () => {
      const made = await aCluster()
      expect(await ask(`cluster(id: "${made.cluster.id}") { name }`)).toEqual({ cluster: { name: made.cluster.name } })
      await change('deleteCluster', { clusterId: made.cluster.id }, '__typename')
    },
    DeleteCluster: async () => {
      const { cluster: made } = await aCluster()
      await change('deleteCluster', { clusterId: made.id }, '__typename')
      expect(await ask(`cluster(id: "${made.id}") { name }`)).toEqual({ cluster: null })
    },
    GetClusterVersion: async () => {
      expect(await cluster('configVersion')).toEqual({ configVersion: expect.any(Number) })
    },
    UpdateClusterVersion: async () => {
      const before = Number((await cluster('configVersion'))?.['configVersion'])
      await change('publishClusterConfig', { clusterId: world.clusterId }, '__typename')
      expect(await cluster('configVersion')).toEqual({ configVersion: before + 1 })
    },
    UpdateClusterTokenHash: async () => {
      const { token } = await change('rotateClusterToken', { clusterId: world.clusterId }, 'token')
      expect(await ask('viewer { __typename }', String(token))).toEqual({ viewer: { __typename: 'EnrollingMachine' } })
    },
    UpdateClusterPKI: async () => {
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
    UpdateClusterLighthouse: async () => {
      await change('updateClusterLighthouse', { clusterId: world.clusterId, lighthousePort: 4343 }, '__typename')
      expect(await cluster('lighthousePort')).toEqual({ lighthousePort: 4343 })
    },
    GetClusterState: async () => {
      expect(await cluster(`state(instanceId: "${instanceId}") { runningConfigVersion }`)).toEqual({
        state: { runningConfigVersion: 1 },
      })
    },
    ListClusterStates: async () => {
      expect(await cluster('states { instanceId }')).toEqual({ states: [{ instanceId }] })
    },
    UpsertClusterState: async () => {
      const input = { clusterId: world.clusterId, instanceId, runningConfigVersion: 2 }
      await change('reportClusterState', input, '__typename', app.operator)
      expect(await cluster('states { runningConfigVersion }')).toEqual({ states: [{ runningConfigVersion: 2 }] })
    },
    GetStaleClusters: async () => {
      expect(await ask(`staleClusters(instanceId: "${instanceId}") { name }`, app.operator)).toEqual({
        staleClusters: named('other-cluster', 'seed-cluster').nodes,
      })
    },
    DeleteClusterState: async () => {
      await change('deleteClusterState', { clusterId: world.clusterId, instanceId }, '__typename', app.operator)
      expect(await cluster('states { instanceId }')).toEqual({ states: [] })
    },
    GetReplica: async () => {
      const { id, address } = await aReplica()
      expect(await ask(`replica(by: { id: "${id}" }) { address }`, app.operator)).toEqual({ replica: { address } })
    },
    GetReplicaByAddress: async () => {
      const { id, address } = await aReplica()
      expect(await ask(`replica(by: { address: "${address}" }) { id }`, app.operator)).toEqual({ replica: { id } })
    },
    ListReplicas: async () => {
      const { id } = await aReplica()
      expect((await ask('replicas { id }', app.operator))['replicas']).toContainEqual({ id })
    },
    ListHealthyReplicas: async () => {
      const { id } = await aReplica()
      const healthy = async () => (await ask('replicas(filter: { healthy: true }) { id }', app.operator))['replicas']
      expect(await healthy()).toContainEqual({ id })
      await app.database.client.replica.update({ where: { id }, data: { lastSeenAt: new Date(0) } })
      expect(await healthy()).not.toContainEqual({ id })
    },
    UpsertReplica: async () => {
      const { id, address } = await aReplica()
      expect((await aReplica(address)).id).not.toBe(id)
      expect(await ask(`replica(by: { id: "${id}" }) { id }`, app.operator)).toEqual({ replica: null })
    },
    UpdateReplicaHeartbeat: async () => {
      const { id } = await aReplica()
      await app.database.client.replica.update({ where: { id }, data: { lastSeenAt: new Date(0) } })
      const { replica } = await change('heartbeatReplica', { id }, 'replica { isHealthy }', app.operator)
      expect(replica).toEqual({ isHealthy: true })
    },
    UpdateReplicaRole: async () => {
      const { id } = await aReplica()
      const { replica } = await change('updateReplicaRole', { id, role: 'MASTER' }, 'replica { role }', app.operator)
      expect(replica).toEqual({ role: 'MASTER' })
    },
    GetMaster: async () => {
      expect(await ask('master { role }', app.operator)).toEqual({ master: { role: 'MASTER' } })
    },
    CountMasters: async () => {
      const masters = await ask('replicas(filter: { role: MASTER }) { role }', app.operator)
      expect(masters).toEqual({ replicas: [{ role: 'MASTER' }] })
    },
    DeleteReplica: async () => {
      const { id } = await aReplica()
      await change('deleteReplica', { id }, '__typename', app.operator)
      expect(await ask(`replica(by: { id: "${id}" }) { id }`, app.operator)).toEqual({ replica: null })
    },
    PruneStaleReplicas: async () => {
      await app.database.client.replica.updateMany({ data: { lastSeenAt: new Date(0) } })
      const { pruneStaleReplicas } = await app.ask<{ pruneStaleReplicas: { pruned: number } }>(
        app.operator,
        'mutation { pruneStaleReplicas { ... on PruneStaleReplicasPayload { pruned } } }',
      )
      expect(pruneStaleReplicas.pruned).toBeGreaterThan(0)
      expect(await ask('replicas { id }', app.operator)).toEqual({ replicas: [] })
    },
    GetNode: async () => {
      expect(await node(world.nodeId, 'name')).toEqual({ name: 'seed-node' })
    },
    GetNodeByID: async () => {
      expect(await node(other.nodeId, 'name', app.operator)).toEqual({ name: 'other-node' })
      expect(await node(other.nodeId, 'name')).toBeNull()
    },
    GetNodeByTokenHash: async () => {
      expect(await ask('viewer { ... on Node { name } }', world.nodeToken)).toEqual({
        viewer: { name: 'seed-node' },
      })
    },
    ListNodes: async () => {
      expect(await nodes(', first: 2', 'nodes { name }')).toEqual(named('lighthouse', 'relay'))
    },
    ListAllNodesInCluster: async () => {
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
    ListLighthouses: async () => {
      expect(await nodes(', filter: { isLighthouse: true }', 'nodes { name }')).toEqual(named('lighthouse'))
    },
    ListRelays: async () => {
      expect(await nodes(', filter: { isRelay: true }', 'nodes { name }')).toEqual(named('relay'))
    },
    ListNodesWithRoutes: async () => {
      expect(await nodes(', filter: { hasRoutes: true }', 'nodes { name }')).toEqual(named('seed-node'))
    },
    CountNodes: async () => {
      expect(await nodes('', 'totalCount')).toEqual({ totalCount: 4 })
    },
    CountAdminNodes: async () => {
      expect(await nodes(', filter: { isAdmin: true }', 'totalCount')).toEqual({ totalCount: 1 })
    },
    CreateNode: async () => {
      const { id } = await aNode({ mtu: 1400 })
      expect(await node(id, 'mtu')).toEqual({ mtu: 1400 })
    },
    UpdateNodeTokenHash: async () => {
      const { id } = await aNode()
      const { token } = await change('rotateNodeToken', { nodeId: id }, 'token')
      expect(await ask('viewer { ... on Node { id } }', String(token))).toEqual({ viewer: { id } })
    },
    UpdateNodeMTU: async () => {
      await change('updateNodeMtu', { nodeId: world.nodeId, mtu: 1350 }, '__typename')
      expect(await node(world.nodeId, 'mtu')).toEqual({ mtu: 1350 })
    },
    UpdateNodeRoutes: async () => {
      await change('updateNodeRoutes', { nodeId: world.nodeId, routes: ['192.168.7.0/24'] }, '__typename')
      expect(await node(world.nodeId, 'routes')).toEqual({ routes: ['192.168.7.0/24'] })
    },
    UpdateNodeLighthouse: async () => {
      const { id } = await aNode()
      const input = { nodeId: id, isLighthouse: true, lighthousePublicIp: '203.0.113.2' }
      await change('updateNodeLighthouse', input, '__typename')
      expect(await node(id, 'isLighthouse')).toEqual({ isLighthouse: true })
    },
    UpdateNodeRelay: async () => {
      const { id } = await aNode()
      await change('updateNodeRelay', { nodeId: id, isRelay: true }, '__typename')
      expect(await node(id, 'isRelay')).toEqual({ isRelay: true })
    },
    DeleteNode: async () => {
      const { id } = await aNode()
      await change('deleteNode', { nodeId: id }, '__typename')
      expect(await node(id, 'id')).toBeNull()
    },
    GetBundle: async () => {
      expect(await bundle(', version: 1000')).toEqual({ version: 1000, message: 'seed-message' })
    },
    GetLatestBundle: async () => {
      expect(await bundle()).toEqual({ version: 1000, message: 'seed-message' })
    },
    GetLatestBundleVersion: async () => {
      expect(await newest()).toBe(1000)
    },
    ListBundles: async () => {
      expect(await cluster('bundles { nodes { version } }')).toEqual({ bundles: { nodes: [{ version: 1000 }] } })
    },
    CountBundles: async () => {
      expect(await cluster('bundles { totalCount }')).toEqual({ bundles: { totalCount: 1 } })
    },
    CreateBundle: async () => {
      const version = await uploaded()
      expect(await bundle(`, version: ${version}`)).toMatchObject({ version })
    },
    DeleteBundle: async () => {
      const input = { clusterId: world.clusterId, version: 1000 }
      await change('deleteConfigBundle', input, '__typename')
      expect(await bundle(', version: 1000')).toBeNull()
    },
    DeleteOldBundles: async () => {
      await uploaded()
      const input = { clusterId: world.clusterId, keep: 1 }
      expect(await change('deleteOldConfigBundles', input, 'deletedCount')).toMatchObject({ deletedCount: 1 })
      expect(await cluster('bundles { totalCount }')).toEqual({ bundles: { totalCount: 1 } })
    },
  }

  test.each(Object.entries(reached))('%s', async (_query, reach) => {
    await reach()
  })

  test('and none is missing', () => {
    expect(Object.keys(reached).sort()).toEqual([...seedQueries].sort())
  })
})
