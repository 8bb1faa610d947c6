import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, expect, test } from '@jest/globals'

import { systemOperator } from '../../../src/auth/system.ts'
import { startPublisher } from '../../../src/domain/publishing/publisher.ts'
import { keepResigned } from '../../../src/domain/signing/resigned.ts'
import { readSnapshot } from '../../../src/domain/publishing/snapshot.ts'
import { expectShortTurns } from '../../bundle/turns.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { createWorld, type World } from '../../support/world.ts'

let app: TestApp
let world: World

beforeAll(async () => {
  app = await startApp('sqlite')
  world = await createWorld(app, 'publisher', randomUUID())
  await app.database.client.configBundle.deleteMany({})
})
afterAll(() => app.close())

const change = () =>
  app.ask(
    world.admin,
    'mutation ($id: UUID!) { publishClusterConfig(input: { clusterId: $id }) { __typename ... on Error { message } } }',
    { id: world.clusterId },
  )

/** The milliseconds from a burst's first change to the first version, and from its last to the last version. */
async function burst(): Promise<{ first: number; last: number }> {
  const stored: number[] = []
  const operator = systemOperator(app.database)
  const unlisten = operator.changes.listen(({ kind }) => {
    if (kind === 'published') stored.push(performance.now())
  })
  const began = performance.now()
  let ended = began
  // Without a pause that would end the burst, for longer than the first change may wait.
  while (ended - began < 1500) {
    await change()
    ended = performance.now()
    await sleep(10)
  }
  while ((stored.at(-1) ?? 0) < ended) await sleep(10)
  unlisten()
  return { first: (stored[0] ?? Number.NaN) - began, last: (stored.at(-1) ?? Number.NaN) - ended }
}

test('a version is stored a second after a burst’s first change at the latest, and 250 ms after its last', async () => {
  const publisher = startPublisher({ operator: systemOperator(app.database), vault: app.vault, log: app.app.log })
  const bursts = []
  // The first one starts the thread; of the others the best, since other work on the machine makes all of them late.
  for (let turn = 0; turn < 4; turn += 1) bursts.push(await burst())
  await publisher.stop()
  const [, ...warm] = bursts
  expect(Math.min(...warm.map(({ first }) => first))).toBeLessThan(1000)
  expect(Math.min(...warm.map(({ last }) => last))).toBeLessThan(250)
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
  const bump = async () => {
    const data = { configVersion: { increment: 1 } }
    return (await app.database.client.cluster.update({ where: { id: world.clusterId }, data })).configVersion
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
  while (turns.length < 2) await sleep(10)
  await publisher.stop()
  const [first, second] = turns
  expect((second?.began ?? 0) - (first?.ended ?? 0)).toBeGreaterThanOrEqual(2 * took)
})
