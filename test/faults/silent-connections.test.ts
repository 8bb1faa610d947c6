import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { createMigratedDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { type FreezingProxy, startFreezingProxy } from '../support/freezing-proxy.ts'
import {
  createSmallWorld,
  isReady,
  listTenants,
  newSecret,
  serve,
  type Served,
  setMtu,
  type SmallWorld,
  told,
} from '../support/served.ts'
import { openStream } from '../support/streams.ts'

/** What is promised: milliseconds after which an instance serves once new connections are possible. */
const promised = 10_000
/** How long a test waits for one answer, in milliseconds: for a place in the pool, a statement, and a read once more. */
const patience = 30_000

describe('an instance whose connections to PostgreSQL fall silent', () => {
  let home: TestDatabase
  let proxy: FreezingProxy
  let behind: Served
  let world: SmallWorld
  const secret = newSecret()
  beforeEach(async () => {
    home = await createMigratedDatabase('postgresql')
    proxy = await startFreezingProxy(home.url)
    behind = await serve({ database: proxy.url, secret })
    world = await createSmallWorld(behind)
  })
  afterEach(async () => {
    behind.kill('SIGKILL')
    await behind.ended
    await proxy.close()
    await home.drop()
  })

  const bundle = async () => {
    const headers = { authorization: `Bearer ${world.nodeToken}` }
    const response = await behind.fetch('/bundle', { headers, signal: AbortSignal.timeout(patience) })
    await response.arrayBuffer()
    return response
  }
  const query = () =>
    behind.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${behind.operator}` },
      body: JSON.stringify({ query: listTenants }),
      signal: AbortSignal.timeout(patience),
    })
  /** Every pool has several connections. */
  const warmUp = () => Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? bundle() : query())))

  /** A change, and the version that it leads to. */
  async function changedElsewhere(beside: Served): Promise<number> {
    await beside.ask(beside.operator, setMtu, { id: world.nodeId, mtu: 1337 })
    const { cluster } = await beside.ask<{ cluster: { configVersion: number } }>(
      beside.operator,
      'query ($id: UUID!) { cluster(id: $id) { configVersion } }',
      { id: world.clusterId },
    )
    return cluster.configVersion
  }

  interface Answered {
    readonly statuses: Set<number>
    readonly withoutRetryAfter: number
    /** Of the first answer behind which there was no failure, from the begin. */
    readonly servesAfter: number
  }
  /** Asks all the time, each half a second, as many callers do, until the ways to ask have worked for two seconds. */
  async function askUntilItServes(asks: readonly (() => Promise<Response>)[]): Promise<Answered> {
    const begin = performance.now()
    const statuses = new Set<number>()
    let [withoutRetryAfter, lastFailure] = [0, begin]
    const running = new Set<Promise<void>>()
    const one = async (ask: () => Promise<Response>) => {
      const response = await ask()
      statuses.add(response.status)
      if (response.status < 500) return
      if (response.headers.get('retry-after') === null) withoutRetryAfter += 1
      lastFailure = performance.now()
    }
    while (performance.now() - lastFailure < 2000 || performance.now() - begin < 6000 || running.size > 6) {
      if (performance.now() - begin > 40_000) throw new Error(`it does not serve again:\n${behind.output()}`)
      for (const ask of asks) {
        const asked: Promise<void> = one(ask).finally(() => running.delete(asked))
        running.add(asked)
      }
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    await Promise.all(running)
    return { statuses, withoutRetryAfter, servesAfter: lastFailure - begin }
  }

  test('serves again within ten seconds, throws them away, says it once, and makes good what its streams missed', async () => {
    const beside = await serve({ database: home.url, secret })
    try {
      const stream = await openStream<{ version: number }>(behind.url, world.admin, {
        query: 'subscription ($id: UUID!) { configPublished(clusterId: $id) { version } }',
        variables: { id: world.clusterId },
      })
      expect(stream.response.status).toBe(200)
      await warmUp()
      await eventually(told('it is ready', behind), () => isReady(behind))

      proxy.freeze()
      const changing = changedElsewhere(beside)
      const unready = eventually(told('it is not ready', behind), async () => !(await isReady(behind)))
      const { statuses, withoutRetryAfter, servesAfter } = await askUntilItServes([bundle, query])
      const [wanted] = await Promise.all([changing, unready])

      expect([...statuses].filter((status) => ![200, 304, 404, 503].includes(status))).toEqual([])
      expect(withoutRetryAfter).toBe(0)
      expect(servesAfter).toBeLessThan(promised)
      await eventually(told('the silent connections are closed', behind), async () => proxy.open.frozen === 0)
      await eventually(told('it is ready again', behind), () => isReady(behind))
      // The change was made by the other instance while this one heard of nothing.
      for (let told = 0; told < wanted;) {
        const event = await stream.next()
        if (typeof event !== 'object' || !('version' in event)) throw new Error(`the stream said ${String(event)}`)
        told = event.version
      }
      await stream.close()
      expect(behind.faults().filter(({ fault, level }) => fault === 'unreachable' && level === 50).length).toBeLessThan(
        2,
      )
      expect(behind.output()).not.toContain('"request failed"')
    } finally {
      beside.kill('SIGKILL')
      await beside.ended
    }
  }, 90_000)

  test('answers with 503 as long as there are no others, answers for its health at once, and serves within ten seconds of them', async () => {
    await warmUp()
    proxy.forwardNew(false)
    proxy.freeze()
    const [first, second] = await Promise.all([bundle(), query()])
    expect([first.status, second.status]).toEqual([503, 503])
    expect(await second.json()).toMatchObject({
      errors: [{ extensions: { code: expect.stringMatching(/^DATABASE_UNREACHABLE|OVERLOADED$/) } }],
    })
    expect((await behind.readiness()).status).toBe(503)
    const asked = performance.now()
    expect((await behind.fetch('/healthz')).status).toBe(200)
    expect(performance.now() - asked).toBeLessThan(2000)

    proxy.forwardNew(true)
    const { servesAfter, statuses } = await askUntilItServes([bundle, query])
    expect([...statuses].filter((status) => ![200, 304, 404, 503].includes(status))).toEqual([])
    expect(servesAfter).toBeLessThan(promised)
    await eventually(told('it is ready again', behind), () => isReady(behind))
  }, 90_000)
})
