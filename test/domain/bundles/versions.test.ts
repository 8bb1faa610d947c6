import { readFileSync } from 'node:fs'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { schema } from '../../../src/graphql/schema.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { bumping, callWith } from '../../support/changes.ts'
import { engines } from '../../support/database.ts'
import { createWorld, type World } from '../../support/world.ts'

const documented =
  /## What bumps `configVersion`\n([\s\S]*?)\n## /.exec(readFileSync('docs/operations.md', 'utf8'))?.[1] ?? ''

describe.each(engines)('versions on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'versions', crypto.randomUUID())
  })
  afterAll(() => app.close())

  const wanted = async (id = world.clusterId) =>
    (await app.database.client.cluster.findUniqueOrThrow({ where: { id } })).configVersion

  const call = async (name: string, input: Record<string, unknown>): Promise<string> =>
    (await callWith(app, world.admin, name, { input, select: '__typename ... on Error { message }' })).text

  test.each(Object.entries(bumping))('%s raises the version by one', async (name, input) => {
    const given = await input(world, app)
    const before = await wanted()
    expect(await call(name, given)).toContain(`${name.charAt(0).toUpperCase()}${name.slice(1)}Payload`)
    expect(await wanted()).toBe(before + 1)
  })

  test('the page names these mutations, and those that test/cluster-pki and test/enrollment cover', () => {
    const named = documented.match(
      /\b(?:create|rollback|delete|update|change|block|unblock|rotate|abort|publish|import|enroll|renew|rename)[A-Z]\w+/g,
    )
    const elsewhere = ['importClusterPki', 'enrollNode', 'renewNodeCertificate']
    expect(named?.sort()).toEqual([...Object.keys(bumping), ...elsewhere].sort())
    const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {})
    expect(mutations).toEqual(expect.arrayContaining(named ?? []))
  })

  test('a refusal takes the bump back', async () => {
    const before = await wanted()
    for (const [name, input] of [
      ['createNode', { clusterId: world.clusterId, name: 'renamed' }],
      ['updateNodeRoutes', { nodeId: world.nodeId, routes: ['10.42.7.0/24'] }],
      ['updateNodeMtu', { nodeId: world.nodeId, mtu: 9001 }],
    ] as const) {
      expect(await call(name, input)).toContain('Error')
    }
    expect(await wanted()).toBe(before)
  })

  test('deleting bundles raises nothing, and no number is given again', async () => {
    const create =
      'mutation { createCluster(input: { name: "fresh" }) { ... on CreateClusterPayload { cluster { id } } } }'
    const made = await app.ask<{ createCluster: { cluster: { id: string } } }>(world.admin, create)
    const clusterId = made.createCluster.cluster.id
    const newest = async () => {
      await app.publish()
      const [bundle] = await app.database.client.configBundle.findMany({
        where: { clusterId },
        orderBy: { version: 'desc' },
        take: 1,
        select: { version: true },
      })
      return bundle?.version ?? 0
    }
    const version = await newest()
    expect(await wanted(clusterId)).toBe(version)
    expect(await call('deleteConfigBundle', { clusterId, version })).toContain('Payload')
    expect([await newest(), await wanted(clusterId)]).toEqual([0, version])
    await call('publishClusterConfig', { clusterId })
    expect(await newest()).toBe(version + 1)
  })

  test('64 changes at once get 64 different versions and no error', async () => {
    const before = await wanted()
    const query = `mutation ($input: PublishClusterConfigInput!) { publishClusterConfig(input: $input) {
      ... on PublishClusterConfigPayload { cluster { configVersion } } } }`
    const answers = await Promise.all(
      Array.from({ length: 64 }, () =>
        app.ask<{ publishClusterConfig: { cluster: { configVersion: number } } }>(world.admin, query, {
          input: { clusterId: world.clusterId },
        }),
      ),
    )
    const versions = answers.map(({ publishClusterConfig }) => publishClusterConfig.cluster.configVersion)
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, index) => before + 1 + index))
  })
})
