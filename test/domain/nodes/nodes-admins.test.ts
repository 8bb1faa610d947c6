import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate, refusedWith } from '../../support/mutate.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const ways = [
  ['deleteNode', {}],
  ['updateNodeAdmin', { isAdmin: false }],
] as const

describe.each(engines)('admin nodes on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
  })
  afterAll(() => app.close())
  beforeEach(async () => {
    world = await createWorld(app, randomUUID(), randomUUID())
  })

  const admins = () => app.database.client.node.count({ where: { clusterId: world.clusterId, isAdmin: true } })
  const version = async () =>
    (await app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })).configVersion

  describe.each(ways)('%s', (mutation, input) => {
    const call = (token: string, nodeId: string) => mutate(app, token, mutation, { nodeId, ...input })

    test('the last one cannot do this to itself, and hears what to do', async () => {
      const before = await version()
      const { __typename, message } = await call(world.adminNodeToken, world.adminNodeId)
      expect(__typename).toBe('ConflictError')
      expect(message).toMatch(/is the cluster's last admin node: make another node admin first/)
      expect(await admins()).toBe(1)
      expect(await version()).toBe(before)
    })

    test('with a second one it can', async () => {
      await createNode(app, world.admin, { clusterId: world.clusterId, name: 'second', isAdmin: true })
      expect((await call(world.adminNodeToken, world.adminNodeId)).__typename).toMatch(/Payload$/)
      expect(await admins()).toBe(1)
    })

    test('an admin node of another cluster does not count', async () => {
      const { cluster } = await mutate<{ cluster: { id: string } }>(
        app,
        world.admin,
        'createCluster',
        { name: 'other' },
        'cluster { id }',
      )
      await createNode(app, world.admin, { clusterId: cluster.id, name: 'its admin', isAdmin: true })
      expect(await call(world.adminNodeToken, world.adminNodeId)).toMatchObject({ __typename: 'ConflictError' })
    })

    test('a plain node may go at any time', async () => {
      expect((await call(world.adminNodeToken, world.nodeId)).__typename).toMatch(/Payload$/)
    })

    test.each(['operator', 'tenant admin'])('%ss may do it to the last one', async (who) => {
      const token = who === 'operator' ? app.operator : world.admin
      expect((await call(token, world.adminNodeId)).__typename).toMatch(/Payload$/)
      expect(await admins()).toBe(0)
    })

    test('two that remove each other at once leave one', async () => {
      const second = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'second', isAdmin: true })
      const answers = await Promise.all([
        app.answer(world.adminNodeToken, query(mutation), { input: { nodeId: second.id, ...input } }),
        app.answer(second.token, query(mutation), { input: { nodeId: world.adminNodeId, ...input } }),
      ])
      expect(await admins()).toBe(1)
      expect(answers.filter(({ data }) => data !== null && data !== undefined)).not.toEqual([])
    })
  })

  test('a node that is no admin any more manages nothing from the next request on', async () => {
    await mutate(app, world.admin, 'updateNodeAdmin', { nodeId: world.adminNodeId, isAdmin: false })
    const input = { nodeId: world.nodeId, mtu: 1400 }
    expect(await refusedWith(app, world.adminNodeToken, 'updateNodeMtu', input)).toBe('FORBIDDEN')
  })

  test('a bundle outlives the node that uploaded it', async () => {
    await mutate(app, world.admin, 'deleteNode', { nodeId: world.adminNodeId })
    const where = { clusterId: world.clusterId }
    expect(await app.database.client.configBundle.findMany({ where, select: { createdById: true } })).toEqual([
      { createdById: null },
    ])
  })
})

const query = (mutation: string) => {
  const name = mutation.charAt(0).toUpperCase() + mutation.slice(1)
  return `mutation ($input: ${name}Input!) { ${mutation}(input: $input) { __typename } }`
}
