import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../src/auth/system.ts'
import type { Operator } from '../../src/auth/scope.ts'
import { getClusterVersion, listClusters } from '../../src/domain/clusters/clusters.ts'
import {
  getConfigBundle,
  getLatestConfigBundle,
  getLatestConfigBundleVersion,
  listConfigBundles,
} from '../../src/domain/bundles/config-bundles.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { createWorld, type World } from '../support/world.ts'

describe.each(engines)('what a query reads on %s', (engine) => {
  let app: TestApp
  let world: World
  let operator: Operator
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'reads', randomUUID())
    operator = systemOperator(app.database)
  })
  afterAll(() => app.close())

  /** The columns between SELECT and FROM of the one statement that `work` runs. */
  async function columnsOf(work: () => Promise<unknown>): Promise<string[]> {
    app.takeStatements()
    await work()
    const [sql = '', ...others] = app.takeStatements()
    expect(others).toEqual([])
    const selected = /SELECT (.*) FROM (?!config_bundles b)/s.exec(sql)?.[1] ?? ''
    return [...selected.matchAll(/[`"](\w+)[`"](?=,| |$)/g)].map(([, column = '']) => column)
  }

  test('a version is read with nothing but its row’s key', async () => {
    expect(await getClusterVersion(operator, world.clusterId)).toBe(3)
    const ofCluster = await columnsOf(() => getClusterVersion(operator, world.clusterId))
    expect(ofCluster.sort()).toEqual(['configVersion', 'id', 'tenantId'])
    expect(await getClusterVersion(operator, randomUUID())).toBeNull()

    expect(await getLatestConfigBundleVersion(operator, world.clusterId)).toBe(1000)
    const ofBundle = await columnsOf(() => getLatestConfigBundleVersion(operator, world.clusterId))
    expect(ofBundle.sort()).toEqual(['id', 'latestBundleVersion', 'tenantId'])
    expect(await getLatestConfigBundleVersion(operator, randomUUID())).toBeNull()
  })

  test('a bundle’s metadata is read without its archive', async () => {
    const metadata = ['cluster_id', 'created_at', 'created_by', 'message', 'sha256', 'size', 'tenant_id', 'version']
    const one = await columnsOf(() => getConfigBundle(operator, world.clusterId, 1000))
    const newest = await columnsOf(() => getLatestConfigBundle(operator, world.clusterId))
    expect([one.sort(), newest.sort()]).toEqual([metadata, metadata])
  })

  test('what is counted is not read', async () => {
    app.takeStatements()
    expect(await operator.read.count(listClusters({ tenantId: world.tenantId }))).toBe(1)
    expect(await operator.read.count(listClusters({ tenantId: randomUUID() }))).toBe(0)
    expect(await operator.read.counts(listConfigBundles(), [world.clusterId])).toEqual(new Map([[world.clusterId, 1]]))
    for (const sql of app.takeStatements()) expect(sql).toMatch(/count\(/i)
  })

  test('the second mutation of a request shows what it has changed, not what the first one left', async () => {
    type Changed = Record<'first' | 'second', { node: { cluster: { configVersion: number } } }>
    const { first, second } = await app.ask<Changed>(
      world.admin,
      `mutation ($id: UUID!) {
        first: updateNodeRoutes(input: { nodeId: $id, routes: ["172.16.0.0/24"] }) { ...changed }
        second: updateNodeRoutes(input: { nodeId: $id, routes: ["172.17.0.0/24"] }) { ...changed }
      }
      fragment changed on UpdateNodeRoutesPayload { node { cluster { configVersion } } }`,
      { id: world.nodeId },
    )
    expect(second.node.cluster.configVersion).toBe(first.node.cluster.configVersion + 1)
  })
})
