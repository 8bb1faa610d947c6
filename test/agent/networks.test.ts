import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { leave } from '../../src/agent/enroll.ts'
import { mutate } from '../support/mutate.ts'
import { Site } from './support/site.ts'

describe('an enrollment on a machine that is in another cluster', () => {
  let site: Site
  beforeAll(async () => {
    site = await Site.open()
    await site.enroll({ name: 'laptop' })
  })
  afterAll(() => site.close())

  test('is refused for a second cluster whose network overlaps, before the control plane makes a node', async () => {
    const { world, app } = site
    const other = async (networkCidr: string) => {
      const input = { name: randomUUID(), networkCidr }
      const made = await mutate<{ cluster: { id: string }; token: string }>(
        app,
        world.admin,
        'createCluster',
        input,
        'cluster { id } token',
      )
      return { id: made.cluster.id, token: made.token }
    }
    const within = await other('10.42.128.0/20')
    await expect(site.enroll({ token: within.token })).rejects.toThrow(
      /10\.42\.128\.0\/20, overlaps 10\.42\.0\.0\/16, .*as laptop .*agent leave/,
    )
    expect(await app.database.client.node.count({ where: { clusterId: within.id } })).toBe(0)
    const { folder } = await site.enroll({ token: (await other('10.43.0.0/16')).token })
    await leave(folder)
  })
})
