import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { getConvergence } from '../../../src/domain/clusters/convergence.ts'
import { systemOperator } from '../../../src/auth/system.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { bundleData, clusterData, nodeData } from '../../support/tenants.ts'
import { createWorld, type World } from '../../support/world.ts'

const minute = 60_000

describe.each(engines)('the status of nodes on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'own', randomUUID())
  })
  afterAll(() => app.close())

  /** A cluster with the published versions, and its nodes by name. */
  async function newCluster(versions: readonly number[], nodes: Readonly<Record<string, object>>): Promise<string> {
    const { client } = app.database
    const { tenantId } = world
    const { id } = await client.cluster.create({ data: clusterData(tenantId, randomUUID(), randomUUID()) })
    const bundles = versions.map((version) => ({ ...bundleData, version, tenantId, clusterId: id }))
    await client.configBundle.createMany({ data: bundles })
    const alive = { certificate: 'signed', certificateExpiresAt: new Date(Date.now() + minute), lastSeenAt: new Date() }
    for (const [name, row] of Object.entries(nodes)) {
      await client.node.create({ data: { ...nodeData(tenantId, id, name), ...alive, ...row } })
    }
    return id
  }

  async function statuses(id: string): Promise<Record<string, string>> {
    type Answer = { nodes: { nodes: { name: string; status: string }[] } }
    const query = 'query ($id: UUID!) { nodes(clusterId: $id, first: 500) { nodes { name status } } }'
    const { nodes } = await app.ask<Answer>(world.viewer, query, { id })
    return Object.fromEntries(nodes.nodes.map(({ name, status }) => [name, status]))
  }

  const ago = (minutes: number) => new Date(Date.now() - minutes * minute)

  test('is the first of the list that applies, whatever else applies too', async () => {
    const ended = { certificateExpiresAt: ago(1) }
    const error = { lastError: 'no' }
    const id = await newCluster([2, 7], {
      'a blocked node that is fine': { blockedAt: ago(1), runningConfigVersion: 7 },
      'a blocked node without anything': { blockedAt: ago(1), certificate: null, lastSeenAt: null },
      'without a certificate': { certificate: null, certificateExpiresAt: null, ...error, runningConfigVersion: 7 },
      'never seen': { lastSeenAt: null, ...error },
      'not seen for six minutes': { lastSeenAt: ago(6), runningConfigVersion: 7 },
      'seen four minutes ago': { lastSeenAt: ago(4), runningConfigVersion: 7 },
      'with an ended certificate': { ...ended, runningConfigVersion: 7 },
      'with an error, behind': { ...error, runningConfigVersion: 2 },
      'with an error from the start': error,
      'with an old error': { ...error, runningConfigVersion: 7 },
      behind: { runningConfigVersion: 2 },
      'that runs nothing': {},
      'that runs what is not published yet': { runningConfigVersion: 8 },
    })
    expect(await statuses(id)).toEqual({
      'a blocked node that is fine': 'BLOCKED',
      'a blocked node without anything': 'BLOCKED',
      'without a certificate': 'PENDING',
      'never seen': 'OFFLINE',
      'not seen for six minutes': 'OFFLINE',
      'seen four minutes ago': 'ONLINE',
      'with an ended certificate': 'FAILING',
      'with an error, behind': 'FAILING',
      'with an error from the start': 'FAILING',
      'with an old error': 'ONLINE',
      behind: 'OUTDATED',
      'that runs nothing': 'OUTDATED',
      'that runs what is not published yet': 'ONLINE',
    })
  })

  test('before the first version there is nothing to run', async () => {
    expect(await statuses(await newCluster([], { fine: {}, complaining: { lastError: 'no' } }))).toEqual({
      fine: 'ONLINE',
      complaining: 'ONLINE',
    })
  })

  test('of nodes in contact that are not blocked agrees with what convergence counts', async () => {
    const nodes: Record<string, object> = {}
    for (const runningConfigVersion of [null, 2, 7]) {
      for (const lastError of [null, 'no']) {
        for (const certificateExpiresAt of [ago(1), ago(-60)]) {
          nodes[`${runningConfigVersion} ${lastError} ${certificateExpiresAt.getTime()}`] = {
            ...{ runningConfigVersion, lastError, certificateExpiresAt },
          }
        }
      }
    }
    const id = await newCluster([2, 7], nodes)
    const found = Object.values(await statuses(id))
    const count = (status: string) => found.filter((one) => one === status).length
    expect(found).toHaveLength(12)
    expect((await getConvergence(systemOperator(app.database), [id])).get(id)).toMatchObject({
      applied: count('ONLINE'),
      pending: count('OUTDATED'),
      failed: count('FAILING'),
    })
  })

  test('is known of a node that was just deleted, and costs a page one statement', async () => {
    const id = await newCluster([1], { one: { runningConfigVersion: 1 }, two: { certificate: null }, three: { lastSeenAt: null } })
    app.takeStatements()
    await statuses(id)
    const withStatus = app.takeStatements().length
    await app.ask(world.viewer, 'query ($id: UUID!) { nodes(clusterId: $id, first: 500) { nodes { name } } }', { id })
    expect(withStatus - app.takeStatements().length).toBe(1)

    const { id: nodeId } = await app.database.client.node.findFirstOrThrow({ where: { clusterId: id, name: 'two' } })
    const { deleteNode } = await app.ask<{ deleteNode: object }>(
      world.admin,
      'mutation ($id: UUID!) { deleteNode(input: { nodeId: $id }) { ... on DeleteNodePayload { node { status } } } }',
      { id: nodeId },
    )
    expect(deleteNode).toEqual({ node: { status: 'PENDING' } })
  })
})
