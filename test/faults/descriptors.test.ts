import { connect, type Socket } from 'node:net'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { descriptorLimit, shareDescriptors } from '../../src/base/limits/descriptors.ts'
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { createSmallWorld, isReady, listTenants, serve, type Served, type SmallWorld, told } from '../support/served.ts'
import { openStream } from '../support/streams.ts'

const limit = 256

describe(`with ${limit} file descriptors`, () => {
  let home: TestDatabase
  let served: Served
  let world: SmallWorld
  beforeEach(async () => {
    home = await createMigratedDatabase('sqlite')
    served = await serve({
      database: home.url,
      environment: { ORRERY_STREAMS_OF_PERSON: '1000' },
      starter: ['prlimit', `--nofile=${limit}:${limit}`],
    })
    world = await createSmallWorld(served)
  })
  afterEach(async () => {
    served.kill('SIGKILL')
    await served.ended
    await home.drop()
  })

  const requestsWork = async () => {
    for (let times = 0; times < 20; times += 1) {
      expect(await served.answer(served.operator, listTenants)).toMatchObject({ status: 200 })
    }
  }

  test('streams beyond them are answered with 503, and requests are served beside them', async () => {
    expect(await descriptorLimit(`/proc/${served.pid}/limits`)).toBe(limit)
    const query = 'subscription ($id: UUID!) { clusterChanged(clusterId: $id) { __typename } }'
    const streams = []
    for (let at = 0; at < 400; at += 20) {
      const open = () => openStream(served.url, world.admin, { query, variables: { id: world.clusterId } })
      streams.push(...(await Promise.all(Array.from({ length: 20 }, open))))
    }
    const statuses = streams.map(({ response }) => response.status)
    const count = (of: number) => statuses.filter((status) => status === of).length
    const { streams: room } = shareDescriptors(limit)
    expect({ opened: count(200), refused: count(503) }).toEqual({ opened: room, refused: 400 - room })
    const refused = streams.find(({ response }) => response.status === 503)
    expect(refused?.response.headers.get('retry-after')).toBe('30')
    expect(await refused?.next()).toEqual(['OVERLOADED'])
    await requestsWork()
    // One that has no room for more streams serves requests, and so is ready.
    expect(await served.readiness()).toMatchObject({ status: 200, checks: { resources: 'ok', streams: 'full' } })
    const said = served.faults().filter(({ fault }) => fault === 'streams')
    expect(said.map(({ msg }) => msg)).toEqual([expect.stringContaining('further ones are refused')])
    expect(served.output()).not.toContain('request failed')

    for (const { response } of streams) if (response.status === 200) await response.body?.cancel()
    await requestsWork()
    await eventually(told('there is room for streams again', served), async () => {
      const { response } = await openStream(served.url, world.admin, { query, variables: { id: world.clusterId } })
      await response.body?.cancel()
      return response.status === 200
    })
  }, 60_000)

  test('connections beyond them end nothing but themselves', async () => {
    const sockets: Socket[] = []
    for (let at = 0; at < 2 * limit; at += 1) {
      const socket = connect(Number(new URL(served.url).port), '127.0.0.1')
      socket.on('error', () => undefined)
      sockets.push(socket)
    }
    await eventually(told('some are closed', served), async () =>
      sockets.some(({ destroyed, readableEnded }) => destroyed || readableEnded),
    )
    await eventually(told('it is said', served), async () =>
      served.faults().some(({ fault }) => fault === 'descriptors'),
    )
    for (const socket of sockets) socket.destroy()
    await eventually(told('it serves again', served), async () => {
      const response = await served.fetch('/healthz').catch(() => null)
      return response?.status === 200
    })
    await requestsWork()
    await eventually(told('it is ready again', served), () => isReady(served))
    expect(served.output()).not.toContain('request failed')
  }, 60_000)
})

describe('the shares of file descriptors', () => {
  test.each([
    ['few', 64, { streams: 1, connections: 49 }],
    ['the usual 1024', 1024, { streams: 656, connections: 912 }],
    ['as many as servers have', 1_048_576, { streams: 1_047_440, connections: 1_048_464 }],
    ['not known', null, { streams: Infinity, connections: Infinity }],
  ])('of %s', (_name, given, shares) => {
    expect(shareDescriptors(given)).toEqual(shares)
  })
})
