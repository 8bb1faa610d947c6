import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

import { systemOperator } from '../../../src/auth/system.ts'
import { startPublisher } from '../../../src/domain/publishing/publisher.ts'
import { keepResigned } from '../../../src/domain/signing/resigned.ts'
import { readSnapshot } from '../../../src/domain/publishing/snapshot.ts'
import { expectShortTurns } from '../../bundle/turns.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { eventually } from '../../support/eventually.ts'
import { createWorld, type World } from '../../support/world.ts'

let app: TestApp
let world: World

beforeAll(async () => {
  app = await startApp('sqlite')
  world = await createWorld(app, 'publisher', randomUUID())
  await app.database.client.configBundle.deleteMany({})
})
afterAll(() => app.close())

/** Makes a version that is not published. */
const bump = async () => {
  const data = { configVersion: { increment: 1 } }
  return (await app.database.client.cluster.update({ where: { id: world.clusterId }, data })).configVersion
}

test('a burst is published half a second after its first change, although it goes on, and 50 ms after its last', async () => {
  const { clusterId } = world
  const real = systemOperator(app.database)
  const version = await bump()
  // Time passes where the test says so, and nowhere else.
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date', 'hrtime'] })
  const begun: number[] = []
  const operator = {
    ...real,
    get db() {
      begun.push(performance.now())
      return real.db
    },
  }
  const publisher = startPublisher({ operator, vault: app.vault, log: app.app.log })
  try {
    const timers = jest.getTimerCount()
    const published = new Promise((resolve) => {
      real.changes.listen((event) => event.kind === 'published' && resolve(event))
    })
    begun.length = 0
    const first = performance.now()
    for (let changes = 0; changes < 14; changes += 1) {
      real.changes.emit({ kind: 'changed', clusterId, version })
      jest.advanceTimersByTime(40)
    }
    expect(begun).toEqual([first + 500])

    expect(await published).toMatchObject({ version })
    await eventually('the changes that came meanwhile are planned', () => jest.getTimerCount() > timers)
    begun.length = 0
    const last = performance.now()
    real.changes.emit({ kind: 'changed', clusterId, version: await bump() })
    jest.advanceTimersByTime(1000)
    expect(begun).toEqual([last + 50])
  } finally {
    jest.useRealTimers()
    await publisher.stop()
  }
})

test('a large cluster is read, and its new certificates are written, in many short turns of the event loop', async () => {
  const { tenantId, clusterId } = world
  const { db, certificates } = systemOperator(app.database)
  const ids = Array.from({ length: 1500 }, () => randomUUID())
  const rows = ids.map((id, index) => ({
    ...{ id, tenantId, clusterId, name: id, tokenHash: id, routes: [], groups: [] },
    overlayIp: `10.42.${100 + (index >> 8)}.${index & 255}`,
  }))
  await db.node.createMany({ data: rows })
  const snapshot = await expectShortTurns(() => readSnapshot(db, clusterId))
  expect(snapshot?.nodes.length).toBe(1502)
  const resignedOver = (previous: (nodeId: string) => string | null, next: (nodeId: string) => string) =>
    ids.map((nodeId) => ({
      ...{ nodeId, previousFingerprint: previous(nodeId), replaced: {}, certificate: 'PEM', fingerprint: next(nodeId) },
      expiresAt: new Date(),
    }))
  const first = resignedOver(
    () => null,
    (nodeId) => nodeId,
  )
  expect(await expectShortTurns(() => certificates.replace(first))).toBe(true)
  await db.node.updateMany({ where: { id: { in: ids } }, data: { certificate: null } })
  const second = resignedOver(
    (nodeId) => nodeId,
    (nodeId) => `${nodeId}-2`,
  )
  expect(await expectShortTurns(() => keepResigned(db, second))).toBe(true)
})

test('changes that come while a cluster is published wait for twice the time that it takes, where there is no quiet', async () => {
  const operator = systemOperator(app.database)
  const took = 300
  const turns: { began: number; ended: number }[] = []
  const certificates = {
    ...operator.certificates,
    async replace(...given: Parameters<typeof operator.certificates.replace>) {
      const began = performance.now()
      await sleep(took)
      if (turns.length === 0)
        operator.changes.emit({ kind: 'changed', clusterId: world.clusterId, version: await bump() })
      turns.push({ began, ended: performance.now() })
      return operator.certificates.replace(...given)
    },
  }
  // Longer than anything here takes: nothing but the longest wait ends it.
  const times = { quiet: 60_000, latest: 20 }
  const publisher = startPublisher({
    operator: { ...operator, certificates },
    vault: app.vault,
    log: app.app.log,
    times,
  })
  operator.changes.emit({ kind: 'changed', clusterId: world.clusterId, version: await bump() })
  await eventually('it is published twice', () => turns.length === 2)
  await publisher.stop()
  const [first, second] = turns
  expect((second?.began ?? 0) - (first?.ended ?? 0)).toBeGreaterThanOrEqual(2 * took)
})
