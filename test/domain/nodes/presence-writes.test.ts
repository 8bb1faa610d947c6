import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { tenantScope } from '../../../src/auth/make-scope.ts'
import { systemOperator } from '../../../src/auth/system.ts'
import { Presence, presenceResolution } from '../../../src/domain/presence/presence.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { createWorld, newNode, nodeRow, type World } from '../../support/world.ts'

describe.each(engines)('a write of what nodes reported on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'own', randomUUID())
  })
  afterAll(() => app.close())

  const addNode = async () => {
    const { id } = await newNode(app, world)
    return { id, node: { nodeId: id, clusterId: world.clusterId } }
  }
  const row = (id: string) => nodeRow(app, id)

  /** A presence whose writes fail until `heal`; `begun` resolves when the first one begins. */
  const ailing = () => {
    const operator = systemOperator(app.database)
    let [fails, tries] = [true, 0]
    let begin: () => void = () => undefined
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const write: typeof operator.presence.write = (...args) => {
      tries += 1
      begin()
      return fails ? Promise.reject(new Error('the disk is full')) : operator.presence.write(...args)
    }
    const means = { operator: { ...operator, presence: { write } }, log: app.app.log }
    return { means, begun, heal: () => (fails = false), tries: () => tries }
  }

  test('that fails is tried again, and the newest state wins', async () => {
    const { id, node } = await addNode()
    const other = await addNode()
    const { means, heal } = ailing()
    const presence = new Presence({ ...means, interval: null })
    presence.report(node, { runningConfigVersion: 3, nebulaVersion: '1.9.4', lastError: 'no' })
    presence.seen(other.id)
    await expect(presence.flush()).rejects.toThrow('the disk is full')
    expect(presence.report(node, { runningConfigVersion: 4, lastError: null }).report).toEqual({
      runningConfigVersion: 4,
      nebulaVersion: '1.9.4',
      lastError: null,
    })
    await expect(presence.flush()).rejects.toThrow('the disk is full')
    heal()
    await presence.flush()
    expect(await row(id)).toMatchObject({ runningConfigVersion: 4, nebulaVersion: '1.9.4', lastError: null })
    expect((await row(other.id)).lastSeenAt).not.toBeNull()
  })

  test('that fails: what comes while it runs lies on top of it', async () => {
    const { node } = await addNode()
    const { means, begun } = ailing()
    const presence = new Presence({ ...means, interval: null })
    presence.report(node, { runningConfigVersion: 3, lastError: 'no' })
    const failing = presence.flush()
    await begun
    expect(presence.report(node, { lastError: null }).report).toMatchObject({
      runningConfigVersion: 3,
      lastError: null,
    })
    presence.report(node, { runningConfigVersion: 4, lastError: null })
    await expect(failing).rejects.toThrow()
    expect(presence.report(node, { lastError: null }).report).toMatchObject({ runningConfigVersion: 4 })
  })

  test('that fails is tried once more at the end, and is said once however often it fails', async () => {
    const { means, heal, tries } = ailing()
    const presence = new Presence({ ...means, interval: 1 })
    const { id } = await addNode()
    app.takeLog()
    presence.seen(id)
    await eventually('five tries', () => tries() >= 5)
    expect(app.takeLog().filter(({ msg }) => msg.includes('was not written'))).toHaveLength(1)
    heal()
    await presence.stop()
    expect((await row(id)).lastSeenAt).not.toBeNull()
  })

  test('waits for the one before it, even if that fails: an older state never lies on top of a newer one', async () => {
    const { id, node } = await addNode()
    const operator = systemOperator(app.database)
    let [running, most, tries] = [0, 0, 0]
    const write: typeof operator.presence.write = async (...args) => {
      running += 1
      most = Math.max(most, running)
      tries += 1
      const isFirst = tries === 1
      try {
        await sleep(5)
        if (isFirst) throw new Error('the disk is full')
        return await operator.presence.write(...args)
      } finally {
        running -= 1
      }
    }
    const presence = new Presence({ operator: { ...operator, presence: { write } }, log: app.app.log, interval: null })
    const flushes: Promise<unknown>[] = []
    for (const runningConfigVersion of [3, 4, 5]) {
      presence.report(node, { runningConfigVersion, lastError: null })
      flushes.push(presence.flush())
      await sleep(1)
    }
    const outcomes = await Promise.allSettled(flushes)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect([most, running]).toEqual([1, 0])
    expect(await row(id)).toMatchObject({ runningConfigVersion: 5 })
  })

  // SQLite has one writer at a time: its rows are never locked.
  if (engine === 'postgresql')
    test('a row that another transaction holds is written with the next batch, and nobody waits', async () => {
      const held = await addNode()
      const free = await addNode()
      const presence = new Presence({ operator: systemOperator(app.database), log: app.app.log, interval: null })
      for (const { node } of [held, free]) presence.report(node, { runningConfigVersion: 4, lastError: null })
      await app.database.client.$transaction(async (tx) => {
        await tx.node.update({ where: { id: held.id }, data: { mtu: 1400 } })
        await presence.flush()
        expect(await row(free.id)).toMatchObject({ runningConfigVersion: 4 })
        expect(await row(held.id)).toMatchObject({ runningConfigVersion: null })
      })
      await presence.flush()
      expect(await row(held.id)).toMatchObject({ runningConfigVersion: 4, mtu: 1400 })
    })

  test('reads and writes go on while ten thousand rows are written', async () => {
    const { id } = await addNode()
    const operator = systemOperator(app.database)
    const presences = [id, ...Array.from({ length: 9999 }, () => randomUUID())].map((nodeId) => ({
      nodeId,
      seenAt: Date.now(),
      report: null,
    }))
    const scope = tenantScope(app.database, { tenantId: world.tenantId, actor: 'a test' })
    const [outcome] = await Promise.all([
      operator.presence.write(presences, presenceResolution),
      scope.db.node.update({ where: { id }, data: { mtu: 1500 } }),
      scope.db.node.findUniqueOrThrow({ where: { id } }),
    ])
    expect(outcome.written.length + outcome.skipped.length).toBe(1)
    expect((await row(id)).mtu).toBe(1500)
  })
})
