import { describe, expect, jest, test } from '@jest/globals'

import { ChangeFeed } from '../../src/db/notify/changes.ts'
import type { Node } from '../../src/db/client/types.ts'
import { ChangesMailbox, mostWaiting, type ClusterChange } from '../../src/domain/live/changes-mailbox.ts'
import { LiveClusters } from '../../src/domain/live/clusters.ts'
import { followCluster } from '../../src/domain/clusters/cluster-changes.ts'
import { followPublished } from '../../src/domain/publishing/published.ts'
import type { Listener } from '../../src/domain/live/stream.ts'
import { eventually } from '../support/eventually.ts'

const clusterId = 'cluster'
const node = (id: string, mtu = 1300) => ({ id, name: `node ${id}`, mtu }) as unknown as Node

/** A database with one cluster, as far as streams read it, that counts what it is asked. */
function counting() {
  const asked = { cluster: 0, bundle: 0, node: 0 }
  const state = { wanted: 7, published: 7 }
  const read = {
    row: (_table: string, _key: string, _id: string, [field]: readonly string[]) =>
      Promise.resolve(
        field === 'configVersion'
          ? (asked.cluster++, { configVersion: state.wanted })
          : (asked.bundle++, { latestBundleVersion: state.published }),
      ),
  }
  const db = {
    node: {
      findMany: ({ where }: { where: { id: { in: string[] } } }) =>
        Promise.resolve((asked.node++, where.id.in.map((id) => node(id)))),
    },
  }
  const scope = { db, read, clusterId, tenantId: 'tenant' } as unknown as Listener['scope']
  return { scope, asked, state }
}

const log = { warn: jest.fn() }
const everybody = (scope: Listener['scope']): Listener => ({
  scope,
  isAllowed: () => Promise.resolve(true),
  nodeId: null,
  expiresAt: null,
})

function began(): ChangesMailbox {
  const mailbox = new ChangesMailbox({ hearsOfReplicas: false })
  mailbox.put({ kind: 'state', published: 3 })
  expect(mailbox.take()).toEqual({ kind: 'resync', publishedVersion: 3 })
  return mailbox
}

function all(mailbox: ChangesMailbox): ClusterChange[] {
  const told = []
  while (!mailbox.isEmpty) told.push(mailbox.take())
  return told
}

describe('what waits for a slow reader', () => {
  test('of each node the latest: added stays added, removed is all that is left to say', () => {
    const mailbox = began()
    mailbox.put({ kind: 'added', node: node('a') })
    for (let mtu = 1301; mtu < 1400; mtu += 1) mailbox.put({ kind: 'changed', node: node('a', mtu) })
    mailbox.put({ kind: 'changed', node: node('b') })
    const at = new Date()
    mailbox.put({ kind: 'reported', nodes: [{ nodeId: 'b', appliedVersion: 3 }], at })
    mailbox.put({ kind: 'removed', nodeId: 'b', name: 'node b' })
    mailbox.put({ kind: 'published', version: 4 })
    mailbox.put({ kind: 'published', version: 9 })
    mailbox.put({ kind: 'reported', nodes: ['c', 'd'].map((nodeId) => ({ nodeId, appliedVersion: 9 })), at })
    mailbox.put({ kind: 'reported', nodes: [{ nodeId: 'd', appliedVersion: null }], at })
    expect(all(mailbox)).toEqual([
      { kind: 'versionPublished', version: 9 },
      { kind: 'nodeAdded', node: node('a', 1399) },
      { kind: 'nodeRemoved', nodeId: 'b', name: 'node b' },
      { kind: 'versionApplied', version: 9, nodeIds: ['c', 'd'] },
      { kind: 'nodesSeen', nodeIds: ['c', 'd'], at },
    ])
  })

  test('never more than the bound: beyond it the reader is told to read again, and nothing else', () => {
    const mailbox = began()
    let most = 0
    for (let index = 0; index < 100_000; index += 1) {
      mailbox.put({ kind: 'changed', node: node(String(index)) })
      mailbox.put({ kind: 'reported', nodes: [{ nodeId: String(index), appliedVersion: 3 }], at: new Date() })
      most = Math.max(most, mailbox.size)
    }
    expect(most).toBeLessThanOrEqual(mostWaiting)
    expect(all(mailbox)).toEqual([{ kind: 'resync', publishedVersion: 3 }])
    mailbox.put({ kind: 'changed', node: node('z') })
    expect(all(mailbox)).toEqual([{ kind: 'nodeChanged', node: node('z') }])
  })

  test('a tenant’s reader is not told of instances', () => {
    const mailbox = began()
    mailbox.put({ kind: 'replicaDown', replicaId: 'r' })
    expect(mailbox.isEmpty).toBe(true)
  })

  test('one that does not read keeps no other from hearing', async () => {
    const changes = new ChangeFeed()
    const live = new LiveClusters(changes, { log })
    const { scope } = counting()
    const [idle, reading] = [
      await followCluster(live, clusterId, everybody(scope)),
      await followCluster(live, clusterId, everybody(scope)),
    ]
    expect((await idle.next()).value).toMatchObject({ kind: 'resync' })
    expect((await reading.next()).value).toMatchObject({ kind: 'resync' })
    for (let index = 0; index < 3000; index += 1) {
      changes.emit({ kind: 'nodeRemoved', clusterId, nodeId: `n${index}`, name: 'gone' })
      expect((await reading.next()).value).toEqual({ kind: 'nodeRemoved', nodeId: `n${index}`, name: 'gone' })
    }
    expect((await idle.next()).value).toEqual({ kind: 'resync', publishedVersion: 7 })
    live.stop()
    expect((await idle.next()).done).toBe(true)
  })
})

describe('what is read', () => {
  test('five hundred streams that begin at once read the state a few times, not each for itself', async () => {
    const live = new LiveClusters(new ChangeFeed(), { log })
    const { scope, asked } = counting()
    const streams = await Promise.all(
      Array.from({ length: 500 }, () => followPublished(live, clusterId, everybody(scope))),
    )
    const told = await Promise.all(streams.map((stream) => stream.next()))
    expect(told.map(({ value }) => value?.version)).toEqual(Array.from({ length: 500 }, () => 7))
    expect(asked.bundle).toBeLessThanOrEqual(3)
    live.stop()
  })

  test('a look is one of the cluster, and finds what was missed', async () => {
    const live = new LiveClusters(new ChangeFeed(), { log, lookEvery: 20 })
    const { scope, asked, state } = counting()
    const versions = await Promise.all(
      Array.from({ length: 50 }, () => followPublished(live, clusterId, everybody(scope))),
    )
    const page = await followCluster(live, clusterId, everybody(scope))
    await Promise.all([...versions, page].map((stream) => stream.next()))
    const before = asked.bundle
    state.published = 8
    expect(await Promise.all(versions.map(async (stream) => (await stream.next()).value?.version))).toEqual(
      versions.map(() => 8),
    )
    expect(asked.bundle - before).toBeLessThanOrEqual(2)
    expect((await page.next()).value).toEqual({ kind: 'versionPublished', version: 8 })
    // A change whose word was lost, with nothing published yet.
    state.wanted = 9
    expect((await page.next()).value).toEqual({ kind: 'resync', publishedVersion: 8 })
    live.stop()
  })

  test('nodes of one tick are read together; a node that is gone in the meantime is not announced again', async () => {
    const changes = new ChangeFeed()
    const live = new LiveClusters(changes, { log })
    const { scope, asked } = counting()
    const pages = await Promise.all(Array.from({ length: 20 }, () => followCluster(live, clusterId, everybody(scope))))
    await Promise.all(pages.map((page) => page.next()))
    for (const nodeId of ['a', 'b', 'c']) changes.emit({ kind: 'nodeChanged', clusterId, nodeId })
    changes.emit({ kind: 'nodeRemoved', clusterId, nodeId: 'b', name: 'node b' })
    for (const page of pages) {
      const told = [await page.next(), await page.next(), await page.next()].map(({ value }) => value)
      expect(told).toContainEqual({ kind: 'nodeRemoved', nodeId: 'b', name: 'node b' })
      expect(told.filter((one) => one?.kind === 'nodeChanged')).toHaveLength(2)
    }
    expect(asked.node).toBe(1)
    live.stop()
  })

  test('a look that fails ends no stream', async () => {
    const changes = new ChangeFeed()
    const live = new LiveClusters(changes, { log, lookEvery: 5 })
    const { scope } = counting()
    const outage = { on: false, asked: 0 }
    const isAllowed = () => {
      outage.asked += 1
      return outage.on ? Promise.reject(new Error('no database')) : Promise.resolve(true)
    }
    const stream = await followPublished(live, clusterId, { ...everybody(scope), isAllowed })
    await stream.next()
    outage.on = true
    const waiting = stream.next()
    const before = outage.asked
    await eventually('three looks more', () => outage.asked >= before + 3)
    outage.on = false
    changes.emit({ kind: 'published', clusterId, version: 8 })
    expect((await waiting).value).toEqual({ clusterId, version: 8 })
    live.stop()
  })
})

describe('a stream ends without waiting for a look or for news', () => {
  /** No look happens while a test runs. */
  const lookEvery = 3_600_000

  test('when the credential it was opened with expires, and not before', async () => {
    const live = new LiveClusters(new ChangeFeed(), { log, lookEvery })
    const { scope } = counting()
    const expiring = { ...everybody(scope), expiresAt: new Date(Date.now() + 300) }
    const lasting = { ...everybody(scope), expiresAt: new Date(Date.now() + lookEvery) }
    const streams = [await followPublished(live, clusterId, expiring), await followPublished(live, clusterId, lasting)]
    for (const stream of streams) expect((await stream.next()).value).toEqual({ clusterId, version: 7 })
    const [first, second] = streams.map((stream) => stream.next())
    expect(await Promise.race([first, second])).toEqual({ done: true, value: undefined })
    live.stop()
    expect(await second).toEqual({ done: true, value: undefined })
    expect(Date.now()).toBeGreaterThanOrEqual(expiring.expiresAt.getTime() - 1)
  })

  test('when its node’s token was replaced; those of other nodes are not even asked', async () => {
    const changes = new ChangeFeed()
    const live = new LiveClusters(changes, { log, lookEvery })
    const { scope } = counting()
    const asked = { rotated: 0, other: 0 }
    const of = (nodeId: 'rotated' | 'other') => {
      const isAllowed = () => Promise.resolve(nodeId === 'other' || asked.rotated < 2)
      const counted = () => {
        asked[nodeId] += 1
        return isAllowed()
      }
      return followPublished(live, clusterId, { ...everybody(scope), nodeId, isAllowed: counted })
    }
    const [rotated, other] = [await of('rotated'), await of('other')]
    await Promise.all([rotated.next(), other.next()])
    const waiting = rotated.next()
    const going = other.next()
    const before = asked.other
    changes.emit({ kind: 'ended', clusterId, whose: { nodeId: 'rotated' } })
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(asked.other).toBe(before)
    changes.emit({ kind: 'published', clusterId, version: 8 })
    expect((await going).value).toEqual({ clusterId, version: 8 })
    live.stop()
  })
})
