import { setImmediate } from 'node:timers/promises'

import { describe, expect, jest, test } from '@jest/globals'

import { ChangeFeed } from '../../../src/db/notify/changes.ts'
import { noNodes } from '../../../src/db/reads/status-counts.ts'
import { noConvergence } from '../../../src/domain/clusters/convergence.ts'
import type { ClusterFigures } from '../../../src/domain/fleet/figures.ts'
import { followFleet, type FleetChange } from '../../../src/domain/fleet/follow.ts'
import { problemsBetween } from '../../../src/domain/fleet/problems.ts'
import { LiveClusters } from '../../../src/domain/live/clusters.ts'
import { FleetMailbox, mostOfFleet } from '../../../src/domain/live/fleet-mailbox.ts'
import type { Listener } from '../../../src/domain/live/stream.ts'
import { eventually } from '../../support/eventually.ts'

const figuresOf = (clusterId: string, failed = 0): ClusterFigures => ({
  ...{ clusterId, tenantId: 'tenant', name: clusterId },
  nodes: noNodes,
  convergence: { ...noConvergence(clusterId), total: failed, failed },
  certificatesEnding: { within7Days: 0, within30Days: 0 },
  ...{ caExpiresAt: null, caStatus: null, caRotationPhase: null, unpublishedVersions: 0, unpublishedSince: null },
})

function began(): FleetMailbox {
  const mailbox = new FleetMailbox(null)
  expect(mailbox.take()).toEqual({ kind: 'resync', tenantId: null })
  return mailbox
}

function all(mailbox: FleetMailbox): FleetChange[] {
  const told = []
  while (!mailbox.isEmpty) told.push(mailbox.take())
  return told
}

describe('what waits for a slow reader of a fleet', () => {
  test('of each cluster the latest figures, after all problems', () => {
    const mailbox = began()
    for (let failed = 0; failed < 100; failed += 1) {
      for (const id of ['a', 'b']) mailbox.put({ kind: 'figures', figures: figuresOf(id, failed) })
    }
    for (const failed of [1, 2]) {
      mailbox.put({ kind: 'problem', problem: 'NODES_FAILED', figures: figuresOf('b', failed) })
    }
    expect(mailbox.size).toBe(3)
    expect(all(mailbox)).toEqual([
      { kind: 'problem', problem: 'NODES_FAILED', figures: figuresOf('b', 2) },
      { kind: 'figures', figures: figuresOf('a', 99) },
      { kind: 'figures', figures: figuresOf('b', 99) },
    ])
  })

  test('of a deleted cluster only that it is gone', () => {
    const mailbox = began()
    mailbox.put({ kind: 'figures', figures: figuresOf('a') })
    mailbox.put({ kind: 'problem', problem: 'CA_ENDED', figures: figuresOf('a') })
    mailbox.put({ kind: 'clusterRemoved', clusterId: 'a' })
    expect(mailbox.size).toBe(1)
    expect(all(mailbox)).toEqual([{ kind: 'clusterRemoved', clusterId: 'a' }])
  })

  test('never more than the bound: beyond it the reader is told to read again, and nothing else', () => {
    const mailbox = began()
    let most = 0
    for (let index = 0; index < 10_000; index += 1) {
      mailbox.put({ kind: 'figures', figures: figuresOf(String(index)) })
      mailbox.put({ kind: 'problem', problem: 'CA_ENDED', figures: figuresOf(String(index)) })
      most = Math.max(most, mailbox.size)
    }
    expect(most).toBeLessThanOrEqual(mostOfFleet)
    expect(all(mailbox)).toEqual([{ kind: 'resync', tenantId: null }])
    mailbox.put({ kind: 'figures', figures: figuresOf('z') })
    expect(all(mailbox)).toEqual([{ kind: 'figures', figures: figuresOf('z') }])
  })
})

test('a problem is what got worse, not what is bad as before', () => {
  const [one, two] = [figuresOf('a', 1), figuresOf('a', 2)]
  expect(problemsBetween(one, two)).toEqual([{ problem: 'NODES_FAILED', figures: two }])
  expect(problemsBetween(two, two)).toEqual([])
  expect(problemsBetween(two, one)).toEqual([])
  const ended: ClusterFigures = { ...one, caStatus: 'ENDED' }
  expect(problemsBetween({ ...one, caStatus: 'ENDS_SOON' }, ended)).toEqual([{ problem: 'CA_ENDED', figures: ended }])
})

/** A database with clusters without a CA, as far as streams of a fleet read it, that counts what it is asked. */
function counting(ids: readonly string[]) {
  const asked = { list: 0, clusters: [] as number[] }
  const counted = { readings: 0 }
  const failed = new Map<string, number>()
  const convergence = (given: readonly string[]) =>
    given.map((clusterId) => ({
      ...{ clusterId, version: 1, total: 9, applied: 0, failed: failed.get(clusterId) ?? 0 },
      ...{ ended: 0, endedApplied: 0, endedFailed: 0, lowest: 1, behindSince: null },
      ...{ pkiCaCert: null, pkiOtherCaCert: null },
    }))
  const row = (id: string) => ({
    ...{ id, tenantId: 'tenant', name: id, configVersion: 1, publishedConfigVersion: 1, unpublishedSince: null },
    ...{ pkiCaCert: null, caRotationPhase: null },
  })
  const read: object = {
    page: () => Promise.resolve((asked.list++, ids.map((id) => ({ id })))),
    convergence: (given: readonly string[]) => Promise.resolve(convergence(given)),
    statusCounts: () => Promise.resolve(new Map()),
    endings: () => Promise.resolve((counted.readings++, [])),
    long: () => read,
  }
  const findMany = ({ where }: { where: { id: { in: string[] } } }) => {
    asked.clusters.push(where.id.in.length)
    return Promise.resolve(where.id.in.filter((id) => ids.includes(id)).map(row))
  }
  const scope = { db: { cluster: { findMany } }, read, clusterId: null, tenantId: 'tenant' }
  return { scope: scope as unknown as Listener['scope'], asked, counted, failed }
}

const log = { warn: jest.fn() }
const somebody = (scope: Listener['scope']): Listener => ({
  scope,
  isAllowed: () => Promise.resolve(true),
  nodeId: null,
  expiresAt: null,
})
/** No look happens while a test runs. */
const lookEvery = 3_600_000

describe('what a fleet’s streams read', () => {
  const ids = Array.from({ length: 500 }, (_, index) => `c${index}`)

  /** Streams that have begun, of a fleet whose figures are known. */
  async function following(count: number, readEvery: number) {
    const changes = new ChangeFeed()
    const live = new LiveClusters(changes, { log, lookEvery, readEvery })
    const database = counting(ids)
    const streams = await Promise.all(
      Array.from({ length: count }, () => followFleet(live, null, somebody(database.scope))),
    )
    for (const stream of streams) expect((await stream.next()).value).toEqual({ kind: 'resync', tenantId: 'tenant' })
    await eventually('the first figures are read', () => database.counted.readings === 1)
    for (let ticks = 0; ticks < 3; ticks += 1) await setImmediate()
    expect(database.asked).toEqual({ list: 1, clusters: [500] })
    return { changes, live, streams, ...database }
  }
  const report = (changes: ChangeFeed, clusterId: string) =>
    changes.emit({ kind: 'reported', clusterId, nodes: [{ nodeId: 'n', appliedVersion: 1 }] })

  test('all that changed until the next reading is read at once, for all streams together', async () => {
    const { changes, live, streams, asked, failed } = await following(10, 50)
    for (const id of ids) failed.set(id, 1)
    for (let times = 0; times < 20; times += 1) for (const id of ids) report(changes, id)
    for (const stream of streams) {
      for (const kind of ['problem', 'figures']) {
        for (let told = 0; told < 500; told += 1) expect((await stream.next()).value).toMatchObject({ kind })
      }
    }
    expect(asked.clusters).toEqual([500, 500])
    live.stop()
  })

  test('reports that change no figure are told to nobody', async () => {
    const { changes, live, streams, asked, counted, failed } = await following(1, 5)
    for (const id of ids) report(changes, id)
    await eventually('they are read', () => counted.readings === 2)
    for (let ticks = 0; ticks < 3; ticks += 1) await setImmediate()
    failed.set('c7', 2)
    report(changes, 'c7')
    expect((await streams[0]?.next())?.value).toMatchObject({ kind: 'problem', figures: { clusterId: 'c7' } })
    expect((await streams[0]?.next())?.value).toMatchObject({ kind: 'figures', figures: { clusterId: 'c7' } })
    expect(asked.clusters).toEqual([500, 500, 1])
    live.stop()
  })

  test('a cluster of another tenant is looked for once, and never told', async () => {
    const { changes, live, streams, asked } = await following(1, 5)
    report(changes, 'foreign')
    await eventually('it is looked for', () => asked.clusters.length === 2)
    for (let times = 0; times < 100; times += 1) report(changes, 'foreign')
    changes.emit({ kind: 'ended', clusterId: 'foreign', whose: 'everybody' })
    changes.emit({ kind: 'tenantAdded', tenantId: 'other' })
    changes.emit({ kind: 'ended', clusterId: 'c1', whose: 'everybody' })
    expect((await streams[0]?.next())?.value).toEqual({ kind: 'clusterRemoved', clusterId: 'c1' })
    expect(asked.clusters).toEqual([500, 1])
    live.stop()
  })

  test('what was missed is a resync', async () => {
    const { changes, live, streams, asked } = await following(1, 5)
    changes.emit({ kind: 'missed' })
    expect((await streams[0]?.next())?.value).toEqual({ kind: 'resync', tenantId: 'tenant' })
    expect(asked.list).toBe(2)
    live.stop()
  })
})

describe('a stream of a fleet ends without waiting for a look or for news', () => {
  const open = async (listener: Partial<Listener>) => {
    const changes = new ChangeFeed()
    const live = new LiveClusters(changes, { log, lookEvery })
    const stream = await followFleet(live, null, { ...somebody(counting([]).scope), ...listener })
    expect((await stream.next()).value).toMatchObject({ kind: 'resync' })
    return { changes, live, waiting: stream.next() }
  }
  const over = { done: true, value: undefined }

  test('when its credential expires', async () => {
    const { waiting } = await open({ expiresAt: new Date(Date.now() + 50) })
    expect(await waiting).toEqual(over)
  })

  test('when its session is revoked', async () => {
    const may = { listen: true }
    const { changes, waiting } = await open({ isAllowed: () => Promise.resolve(may.listen) })
    may.listen = false
    changes.emit({ kind: 'signedOut' })
    expect(await waiting).toEqual(over)
  })

  test('when its tenant is deleted', async () => {
    const { changes, waiting } = await open({})
    changes.emit({ kind: 'tenantRemoved', tenantId: 'another' })
    changes.emit({ kind: 'tenantRemoved', tenantId: 'tenant' })
    expect(await waiting).toEqual(over)
  })

  test('when the server stops', async () => {
    const { live, waiting } = await open({})
    live.stop()
    expect(await waiting).toEqual(over)
  })
})
