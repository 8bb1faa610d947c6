import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { exportCaKey } from '../../src/pki/ca.ts'
import { newCa } from '../bundle/cluster.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { certify } from '../support/certified.ts'
import { engines } from '../support/database.ts'
import { createWorld, type World } from '../support/world.ts'

interface Plan {
  readonly version: number
  readonly nodeCount: number
  readonly nodes: readonly { nodeId: string; name: string; files: string[]; action: string }[]
  readonly fileCount: number
  readonly files: readonly { path: string; change: string; diff: string | null }[]
}

interface Outcome {
  readonly __typename: string
  readonly message?: string
  readonly token?: string | null
  readonly plan?: Plan | null
}

const any = { port: 'any', proto: 'ANY', host: 'any' }

describe.each(engines)('a dry run on %s', (engine) => {
  let app: TestApp
  let world: World
  let version: number
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'tried', randomUUID())
    await app.database.client.configBundle.deleteMany({})
    await certify(app, world.nodeToken)
    await certify(app, world.adminNodeToken)
    await app.publish()
    version = (await app.database.client.cluster.findFirstOrThrow({})).configVersion
  })
  afterAll(() => app.close())

  const allRows = async () => {
    const { client } = app.database
    const rows = [
      await client.tenant.findMany(),
      await client.cluster.findMany(),
      await client.node.findMany({ orderBy: { id: 'asc' } }),
      await client.configBundle.findMany({ omit: { data: true } }),
      await client.clusterState.findMany(),
      await client.replica.findMany(),
    ]
    return JSON.stringify(rows)
  }

  async function run(token: string, mutation: string, input: object, fields = ''): Promise<Outcome> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}`
    const answer = await app.ask<Record<string, Outcome>>(
      token,
      `mutation ($input: ${type}Input!) { ${mutation}(input: $input) {
        __typename
        ... on Error { message }
        ... on ${type}Payload { ${fields}
          plan {
            version nodeCount fileCount
            nodes { nodeId name files action }
            files { path change diff }
          }
        }
      } }`,
      { input },
    )
    const outcome = answer[mutation]
    if (!outcome) throw new Error(`${mutation} gave nothing`)
    return outcome
  }

  /** Every mutation that can be tried, with an input that would change something. */
  const mutations = (): [string, object][] => {
    const { clusterId, nodeId } = world
    return [
      ['createNode', { clusterId, name: 'new', routes: ['192.168.77.0/24'] }],
      ['deleteNode', { nodeId }],
      ['renameNode', { nodeId, name: 'renamed' }],
      ['updateNodeMtu', { nodeId, mtu: 1400 }],
      ['updateNodeRoutes', { nodeId, routes: ['192.168.78.0/24'] }],
      ['updateNodeLighthouse', { nodeId, isLighthouse: true, lighthousePublicIp: '203.0.113.7' }],
      ['updateNodeRelay', { nodeId, isRelay: true }],
      ['updateNodeGroups', { nodeId, groups: ['web'] }],
      ['updateNodeAdmin', { nodeId, isAdmin: true }],
      ['updateClusterLighthouse', { clusterId, lighthousePort: 4343 }],
      ['updateClusterFirewall', { clusterId, firewall: { inbound: [], outbound: [any] } }],
      ['updateClusterCertificates', { clusterId, certificateLifetimeDays: 60 }],
      ['rotateClusterCa', { clusterId }],
      ['rollbackClusterConfig', { clusterId, version }],
      ['publishClusterConfig', { clusterId }],
    ]
  }

  test('changes no row, tells nobody, and says which version there would be', async () => {
    const before = await allRows()
    const events: unknown[] = []
    const unlisten = app.database.changes.listen((event) => events.push(event))
    for (const [mutation, input] of mutations()) {
      const outcome = await run(world.admin, mutation, { ...input, dryRun: true })
      expect([mutation, outcome.plan?.version]).toEqual([mutation, version + 1])
      expect([mutation, await allRows()]).toEqual([mutation, before])
    }
    unlisten()
    expect(events).toEqual([])
  })

  test('another MTU restarts that node alone, and shows its file', async () => {
    const { plan } = await run(world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu: 1400, dryRun: true })
    const path = `nodes/${world.nodeId}.yml`
    expect(plan).toMatchObject({
      nodeCount: 1,
      nodes: [{ nodeId: world.nodeId, name: 'tried-node', files: [path], action: 'RESTART' }],
      fileCount: 1,
      files: [{ path, change: 'CHANGED', diff: expect.stringContaining('-  mtu: 1300\n+  mtu: 1400') as unknown }],
    })
  })

  test('another firewall reloads every node, and shows config.yml', async () => {
    const input = { clusterId: world.clusterId, firewall: { inbound: [], outbound: [any] }, dryRun: true }
    const { plan } = await run(world.admin, 'updateClusterFirewall', input)
    expect(plan?.nodes.map(({ name, files, action }) => [name, files, action])).toEqual([
      ['tried-admin-node', ['config.yml'], 'RELOAD'],
      ['tried-node', ['config.yml'], 'RELOAD'],
    ])
    expect(plan?.files.map(({ path }) => path)).toEqual(['config.yml'])
  })

  test('other groups and other routes restart the node, which has a new certificate', async () => {
    const { nodeId } = world
    const groups = await run(world.admin, 'updateNodeGroups', { nodeId, groups: ['web'], dryRun: true })
    expect(groups.plan?.nodes).toEqual([
      { nodeId, name: 'tried-node', files: [`certs/${nodeId}.crt`], action: 'RESTART' },
    ])
    const routes = await run(world.admin, 'updateNodeRoutes', { nodeId, routes: ['192.168.78.0/24'], dryRun: true })
    expect(routes.plan?.nodes.find((node) => node.nodeId === nodeId)?.action).toBe('RESTART')
  })

  test('another certificate version signs every node anew', async () => {
    await app.database.client.node.updateMany({ data: { nebulaVersion: '1.10.0' } })
    const input = { clusterId: world.clusterId, certificateVersion: 2, dryRun: true }
    const { plan, message } = await run(world.admin, 'updateClusterCertificates', input)
    expect(message).toBeUndefined()
    expect(plan?.nodes.map(({ action }) => action)).toEqual(['RESTART', 'RESTART'])
    const certificate = plan?.files.find(({ path }) => path === `certs/${world.nodeId}.crt`)
    expect(certificate).toMatchObject({ change: 'CHANGED', diff: null })
    await app.database.client.node.updateMany({ data: { nebulaVersion: null } })
  })

  test('another CA is trusted beside, by a reload; giving that up takes it away again', async () => {
    const { clusterId } = world
    const rotated = await run(
      world.admin,
      'rotateClusterCa',
      { clusterId, dryRun: true },
      'cluster { caRotation { phase } }',
    )
    expect(rotated).toMatchObject({
      cluster: { caRotation: { phase: 'TRUST_BOTH' } },
      plan: { nodeCount: 2, nodes: [{ action: 'RELOAD' }, { action: 'RELOAD' }], files: [{ path: 'ca.crt' }] },
    })
    const refused = await run(world.admin, 'abortClusterCaRotation', { clusterId, dryRun: true })
    expect(refused.message).toContain('No rotation of the CA runs')
  })

  test('a CA of one’s own is checked and not kept', async () => {
    const { createTenant } = await app.ask<{ createTenant: { tenant: { id: string } } }>(
      app.operator,
      'mutation { createTenant(input: { name: "dry" }) { ... on CreateTenantPayload { tenant { id } } } }',
    )
    const { createCluster } = await app.ask<{ createCluster: { cluster: { id: string } } }>(
      app.operator,
      `mutation ($id: UUID!) { createCluster(input: { tenantId: $id, name: "dry" }) {
        ... on CreateClusterPayload { cluster { id } } } }`,
      { id: createTenant.tenant.id },
    )
    const { id: clusterId } = createCluster.cluster
    const [mine, other] = [newCa(), newCa()].map((ca) => ({
      caCertificate: ca.certificate.pem,
      caKey: exportCaKey(ca),
    }))
    const before = await allRows()
    const good = await run(
      app.operator,
      'importClusterPki',
      { clusterId, ...mine, dryRun: true },
      'cluster { caCertificate }',
    )
    expect(good).toMatchObject({
      cluster: { caCertificate: mine?.caCertificate },
      plan: { files: [{ path: 'ca.crt' }] },
    })
    const bad = await run(app.operator, 'importClusterPki', { clusterId, ...mine, caKey: other?.caKey, dryRun: true })
    expect(bad.message).toMatch(/^input\.caKey: /)
    expect(await allRows()).toBe(before)
  })

  test('a new node has an address and no token; a deleted one is revoked at all others', async () => {
    const input = { clusterId: world.clusterId, name: 'new', dryRun: true }
    const created = await run(world.admin, 'createNode', input, 'node { name overlayIp } token')
    expect(created).toMatchObject({ token: null, node: { name: 'new' }, plan: { nodeCount: 0 } })
    const deleted = await run(world.admin, 'deleteNode', { nodeId: world.nodeId, dryRun: true })
    expect(deleted.plan?.nodes.map(({ nodeId }) => nodeId)).toEqual([world.adminNodeId])
    expect(deleted.plan?.files.map(({ change }) => change).sort()).toEqual(['CHANGED', 'REMOVED', 'REMOVED'])
  })

  test('publishing anew changes nothing that a node runs', async () => {
    const { plan } = await run(world.admin, 'publishClusterConfig', { clusterId: world.clusterId, dryRun: true })
    expect(plan).toMatchObject({ nodeCount: 0, nodes: [], fileCount: 0, files: [] })
  })

  test('what would be refused is refused the same', async () => {
    const { clusterId, adminNodeId } = world
    const refused: [string, string, object][] = [
      [world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu: 3 }],
      [world.admin, 'updateNodeMtu', { nodeId: randomUUID(), mtu: 1400 }],
      [world.admin, 'createNode', { clusterId, name: 'tried-node' }],
      [world.adminNodeToken, 'deleteNode', { nodeId: adminNodeId }],
      [world.admin, 'publishClusterConfig', { clusterId: randomUUID() }],
    ]
    for (const [token, mutation, input] of refused) {
      const dry = await run(token, mutation, { ...input, dryRun: true })
      expect(dry.message).toBeDefined()
      expect(dry).toEqual(await run(token, mutation, input))
    }
  })

  test('without it the change is made and there is no plan', async () => {
    const { plan } = await run(world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu: 1350 })
    expect(plan).toBeNull()
    const node = await app.database.client.node.findUniqueOrThrow({ where: { id: world.nodeId } })
    expect(node.mtu).toBe(1350)
  })
})
