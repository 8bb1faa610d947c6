import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../../src/auth/system.ts'
import { withOthers } from '../../../src/base/with-others.ts'
import { publishCluster } from '../../../src/domain/publishing/publish.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, type World } from '../../support/world.ts'

const query = '{ fleet { clusters { unpublishedVersions unpublishedSince } } }'
interface Answer {
  readonly fleet: {
    readonly clusters: readonly { readonly unpublishedVersions: number; readonly unpublishedSince: string | null }[]
  }
}

describe.each(engines)('since when a change waits for publication on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'waiting', randomUUID())
  })
  afterAll(() => app.close())

  const since = async (): Promise<number | null> => {
    const [cluster] = (await app.ask<Answer>(world.viewer, query)).fleet.clusters
    const time = cluster?.unpublishedSince ?? null
    expect(time === null).toBe(cluster?.unpublishedVersions === 0)
    return time === null ? null : Date.parse(time)
  }
  const change = (mtu: number) => mutate(app, world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu })
  const noEarlierThan = async (time: number) => {
    const now = await since()
    expect(now).toBeGreaterThanOrEqual(time)
    expect(now).toBeLessThanOrEqual(Date.now())
    return now
  }

  test('a new cluster waits since its creation, and further changes do not move the time', async () => {
    const { createdAt } = await app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })
    const first = await since()
    expect(Math.abs(Number(first) - createdAt.getTime())).toBeLessThan(1000)
    await change(1400)
    expect(await since()).toBe(first)
  })

  test('nothing waits once all is published, and the next change waits since it was made', async () => {
    await app.publish()
    expect(await since()).toBeNull()
    const before = Date.now()
    await change(1401)
    await noEarlierThan(before)
    await app.publish()
    expect(await since()).toBeNull()
  })

  test('a refused change does not wait', async () => {
    const input = { nodeId: world.nodeId, routes: ['10.42.0.0/24'] }
    const refused = 'mutation ($input: UpdateNodeRoutesInput!) { updateNodeRoutes(input: $input) { __typename } }'
    expect(await app.ask(world.admin, refused, { input })).toEqual({
      updateNodeRoutes: { __typename: 'ValidationError' },
    })
    expect(await since()).toBeNull()
  })

  test('a change that is made while a version is compiled waits since that began, and not for ever', async () => {
    await change(1402)
    const operator = systemOperator(app.database)
    const { certificates } = operator
    const scope = withOthers(operator, {
      certificates: {
        ...certificates,
        replace: async (resigned: Parameters<typeof certificates.replace>[0]) => {
          await change(1403)
          return certificates.replace(resigned)
        },
      },
    })
    const before = Date.now()
    await publishCluster({ scope, vault: app.vault, log: app.app.log }, world.clusterId)
    await noEarlierThan(before)
    await app.publish()
    expect(await since()).toBeNull()
  })
})
