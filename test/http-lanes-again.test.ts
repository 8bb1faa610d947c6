import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { posted, startLanes, type Lanes } from './support/lanes.ts'
import { createWorld, type World } from './support/world.ts'

const poll = '{ viewer { __typename ... on Node { name cluster { configVersion } } } }'
const named = 'query A($id: UUID!) { node(id: $id) { name } } query B { viewer { __typename } }'

describe('a query that was compiled is executed without its document', () => {
  let lanes: Lanes
  let world: World
  let foreign: World
  beforeAll(async () => {
    lanes = await startLanes()
    world = lanes.world
    foreign = await createWorld(lanes.app, 'foreign', randomUUID())
  })
  afterAll(() => lanes.close())

  test.each([
    ['a poll', () => ({ query: poll })],
    ['a poll of more than is read with the token', () => ({ query: poll.replace('configVersion', 'networkCidr id') })],
    ['a name and variables', () => ({ query: named, operationName: 'A', variables: { id: world.nodeId } })],
    ['a variable that is none', () => ({ query: named, operationName: 'A', variables: { id: 'x' } })],
    ['the other operation', () => ({ query: named, operationName: 'B' })],
    // Nobody but signed-in callers may read it, and no field of it asks.
    ['the schema', () => ({ query: '{ __schema { queryType { name } } }' })],
    ['what is refused', () => ({ query: '{ replicas { id } }' })],
    ['what is not found', () => ({ query: `{ node(id: "${randomUUID()}") { id } }` })],
    [
      'what costs too much',
      () => ({
        query:
          '{ nodes(clusterId: "%", first: 500) { nodes { cluster { nodes(first: 500) { nodes { id } } } } } }'.replace(
            '%',
            world.clusterId,
          ),
      }),
    ],
  ])('%s, asked again and again', async (_name, params) => {
    const asked = { ...posted(params()), token: world.nodeToken }
    const fetched = await lanes.byFetch(asked)
    lanes.takeServed()
    // Compiled on the way, and from then on executed without its document.
    for (let time = 0; time < 16; time += 1) expect(await lanes.bySocket(asked)).toEqual(fetched)
    expect(lanes.takeServed()).toEqual({ short: 16, usual: 0 })
    for (const token of [null, world.clusterToken, world.viewer, foreign.admin, foreign.nodeToken]) {
      const other = { ...asked, token }
      expect(await lanes.bySocket(other)).toEqual(await lanes.byFetch(other))
    }
  })

  test('what is executed without its document tells what is true now', async () => {
    const asked = { ...posted({ query: poll }), token: world.nodeToken }
    const version = async () =>
      (JSON.parse((await lanes.bySocket(asked)).body) as { data: { viewer: { cluster: { configVersion: number } } } })
        .data.viewer.cluster.configVersion
    for (let time = 0; time < 16; time += 1) await version()
    const before = await version()
    await lanes.app.database.client.cluster.update({
      where: { id: world.clusterId },
      data: { configVersion: { increment: 1 } },
    })
    expect(await version()).toBe(before + 1)
  })

  test('what fails is executed once more in the usual way, and not a third time', async () => {
    const asked = { ...posted({ query: '{ replicas { id } }' }), token: lanes.app.operator }
    for (let time = 0; time < 16; time += 1) await lanes.bySocket(asked)
    const { replica } = lanes.app.database.client
    const findMany: unknown = Reflect.get(replica, 'findMany')
    let times = 0
    const fail = () => {
      times += 1
      return Promise.reject(new Error('the disk is gone'))
    }
    Object.assign(replica, { findMany: fail })
    const { body } = await lanes.bySocket(asked)
    Object.assign(replica, { findMany })
    expect(body).toContain('INTERNAL_SERVER_ERROR')
    expect(times).toBe(2)
  })
})
