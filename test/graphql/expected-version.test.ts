import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isInputObjectType } from 'graphql'

import { exportCaKey } from '../../src/pki/ca.ts'
import { schema } from '../../src/graphql/schema.ts'
import { newCa } from '../bundle/cluster.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { bumping, callWith, type Input } from '../support/changes.ts'
import { engines } from '../support/database.ts'
import { mutate } from '../support/mutate.ts'
import { createWorld, nodeRow, type World } from '../support/world.ts'

const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {})

/** The fields of a mutation's input. */
function inputOf(name: string): string[] {
  const type = schema.getType(`${name.charAt(0).toUpperCase()}${name.slice(1)}Input`)
  return isInputObjectType(type) ? Object.keys(type.getFields()) : []
}

/** Whose name says that it replaces something, or takes something away. */
const replaces = (name: string): boolean =>
  /^(abort|delete|import|prune|rename|replace|reset|rollback|rotate|set|update|upload)/.test(name)

/** Those that have no `expectedVersion`, and why. */
const without: Readonly<Record<string, string>> = {
  createTenant: 'adds',
  createAccessToken: 'adds',
  revokeCredential: 'is of no cluster',
  rotateAccessToken: 'is of no cluster',
  createCluster: 'adds',
  createEnrollmentKey: 'adds',
  createNode: 'adds',
  enrollNode: 'adds: a machine knows no version',
  publishClusterConfig: 'replaces nothing: the next version says the same',
  renameTenant: 'is of no cluster',
  revokeEnrollmentKey: 'takes back what does not change',
  renameCluster: 'changes the name, which is part of no version',
  updateTenant: 'is of no cluster',
  updateCluster: 'changes notes, which are part of no version',
  updateNode: 'changes notes, which are part of no version',
  deleteTenant: 'is of no cluster',
  deleteConfigBundle: 'takes a stored version away, which never changes',
  deleteOldConfigBundles: 'takes stored versions away, which never change',
  renewNodeCertificate: 'is a machine’s own key',
  reportNodeStatus: 'is what a machine knows best',
  reportClusterState: 'is what an instance knows best',
  deleteClusterState: 'is of an instance: no version of the cluster',
  registerReplica: 'is of no cluster',
  heartbeatReplica: 'is of no cluster',
  updateReplicaRole: 'is of no cluster',
  deleteReplica: 'is of no cluster',
  pruneStaleReplicas: 'is of no cluster',
}

const expecting = mutations.filter((name) => inputOf(name).includes('expectedVersion'))

/** What each of them is called with. */
const calls: Readonly<Record<string, Input>> = {
  ...bumping,
  deleteNode: ({ nodeId }) => ({ nodeId }),
  deleteNodes: ({ nodeId }) => ({ ids: [nodeId] }),
  deleteCluster: ({ clusterId }) => ({ clusterId }),
  rollbackClusterConfig: async ({ clusterId }, { database }) => {
    const { version } = await database.client.configBundle.findFirstOrThrow({ where: { clusterId } })
    return { clusterId, version }
  },
  importClusterPki: ({ clusterId }) => {
    const ca = newCa()
    return { clusterId, caCertificate: ca.certificate.pem, caKey: exportCaKey(ca) }
  },
}

test('every mutation takes the version that its caller saw, or is known not to replace anything', () => {
  expect(mutations.filter((name) => !expecting.includes(name)).sort()).toEqual(Object.keys(without).sort())
  const untold = mutations.filter((name) => replaces(name) && !expecting.includes(name) && !(name in without))
  expect(untold).toEqual([])
})

const conflict = `... on ConflictError {
  message presentVersion presentCluster { id configVersion firewall { inbound { port } } } presentNode { id mtu } }`

interface Conflict {
  readonly message?: string
  readonly presentVersion?: number | null
  readonly presentCluster?: { readonly id: string; readonly configVersion: number } | null
  readonly presentNode?: { readonly id: string; readonly mtu: number } | null
}

describe.each(engines)('a change of what somebody else has changed meanwhile, on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'expected', randomUUID())
    await app.database.client.configBundle.deleteMany({})
    await app.publish()
  })
  afterAll(() => app.close())

  const present = async () =>
    (await app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })).configVersion

  const allRows = async () => {
    const { client } = app.database
    return JSON.stringify([
      await client.cluster.findMany(),
      await client.node.findMany({ orderBy: { id: 'asc' } }),
      await client.configBundle.findMany({ omit: { data: true }, orderBy: { version: 'asc' } }),
    ])
  }

  async function call(name: string, input: Record<string, unknown>, select = conflict): Promise<Conflict> {
    const { text } = await callWith(app, world.admin, name, { input, select: `__typename ${select}` })
    const { data } = JSON.parse(text) as { data?: Record<string, Conflict> | null }
    const outcome = data?.[name]
    if (!outcome) throw new Error(text)
    return outcome
  }

  test.each(expecting.flatMap((name) => (inputOf(name).includes('dryRun') ? [`${name} dryRun`, name] : [name])))(
    'is refused with what is there now, and changes nothing: %s',
    async (what) => {
      const [name = '', dryRun] = what.split(' ')
      const make = calls[name]
      if (!make) throw new Error(`say in this file what ${name} is called with`)
      const input = { ...(await make(world, app)), ...(dryRun === undefined ? {} : { dryRun: true }) }
      const before = await allRows()
      const version = await present()
      for (const expectedVersion of [version - 1, version + 1]) {
        const outcome = await call(name, { ...input, expectedVersion })
        expect(outcome).toMatchObject({
          __typename: 'ConflictError',
          message: expect.stringContaining(
            `is at version ${version}, and you saw version ${expectedVersion}`,
          ) as unknown,
          presentVersion: version,
          presentCluster: { id: world.clusterId, configVersion: version },
          presentNode: 'nodeId' in input ? { id: input.nodeId } : null,
        })
      }
      expect(await allRows()).toBe(before)
    },
  )

  test('keeps what the first of two admins has set: the second sees it, and sets both', async () => {
    const { clusterId, admin } = world
    const other = await app.tenantToken(world.tenantId, 'admin')
    const ports = async () => {
      const { cluster } = await app.ask<{ cluster: { firewall: { inbound: { port: string }[] } } }>(
        admin,
        'query ($id: UUID!) { cluster(id: $id) { firewall { inbound { port } } } }',
        { id: clusterId },
      )
      return cluster.firewall.inbound.map(({ port }) => port)
    }
    const set = (token: string, allowed: string[], expectedVersion: number) => {
      const inbound = allowed.map((port) => ({ port, proto: 'TCP', host: 'any' }))
      const input = { clusterId, firewall: { inbound, outbound: [] }, expectedVersion }
      return mutate<{ cluster: { configVersion: number } }>(
        app,
        token,
        'updateClusterFirewall',
        input,
        'cluster { configVersion }',
      )
    }
    const seen = await present()
    expect((await set(admin, ['22'], seen)).cluster.configVersion).toBe(seen + 1)
    expect(await set(other, ['443'], seen)).toMatchObject({ __typename: 'ConflictError' })
    expect(await ports()).toEqual(['22'])
    expect((await set(other, ['22', '443'], seen + 1)).cluster.configVersion).toBe(seen + 2)
    expect(await ports()).toEqual(['22', '443'])
  })

  test('lets one of two through that come at once', async () => {
    const expectedVersion = await present()
    const both = await Promise.all(
      [1401, 1402].map((mtu) =>
        mutate(app, world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu, expectedVersion }),
      ),
    )
    expect(both.map(({ __typename }) => __typename).sort()).toEqual(['ConflictError', 'UpdateNodeMtuPayload'])
    const winner = both[0]?.__typename === 'UpdateNodeMtuPayload' ? 1401 : 1402
    expect(await nodeRow(app, world.nodeId)).toMatchObject({ mtu: winner })
    expect(await present()).toBe(expectedVersion + 1)
  })

  test('is made where nobody says what they saw; other clashes tell no version', async () => {
    const { nodeId } = world
    expect(await mutate(app, world.admin, 'updateNodeMtu', { nodeId, mtu: 1500 })).toMatchObject({
      __typename: 'UpdateNodeMtuPayload',
    })
    const expectedVersion = await present()
    const input = { clusterId: world.clusterId, expectedVersion }
    const aborted = await call('abortClusterCaRotation', input)
    expect(aborted).toMatchObject({ presentVersion: null, presentCluster: null, presentNode: null })
  })
})
