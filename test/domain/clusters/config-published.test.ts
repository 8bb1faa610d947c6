import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../../src/auth/system.ts'
import { ChangeFeed } from '../../../src/db/notify/changes.ts'
import { LiveClusters } from '../../../src/domain/live/clusters.ts'
import { followPublished } from '../../../src/domain/publishing/published.ts'
import { StreamPlaces } from '../../../src/http/live/stream-places.ts'
import { listen, type Listening } from '../../../src/http/server/server.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate, publishVersion } from '../../support/mutate.ts'
import { openStream } from '../../support/streams.ts'
import { createWorld, type World } from '../../support/world.ts'

const query = 'subscription ($id: UUID) { configPublished(clusterId: $id) { clusterId version } }'

describe.each(engines)('configPublished on %s', (engine) => {
  let app: TestApp
  let world: World
  let other: World
  let server: Listening
  beforeAll(async () => {
    // Five hundred streams are opened below with the tokens of two nodes.
    const places = new StreamPlaces({ ofNode: 500, ofPerson: 32, ofTenant: 1000 })
    app = await startApp(engine, { places })
    world = await createWorld(app, 'listened', randomUUID())
    other = await createWorld(app, 'other', randomUUID())
    await app.database.client.configBundle.deleteMany({})
    server = await listen(app.app, { host: '127.0.0.1', port: 0, closeTimeout: 60_000 })
  })
  afterAll(async () => {
    await server.close()
    await app.close()
  })

  /** Opens a stream over a real socket; `next` gives its versions, then its end. */
  async function subscribe(token: string | null, id: string | null = null, url = server.url) {
    const stream = await openStream<{ version: number }>(url, token, { query, variables: { id } })
    const next = async () => {
      const told = await stream.next()
      return typeof told === 'object' && 'version' in told ? told.version : told
    }
    return { ...stream, next }
  }

  const publish = (clusterId = world.clusterId) => publishVersion(app, app.operator, clusterId)

  test('a stream begins with what is published and goes on with each newer version', async () => {
    const first = await publish()
    const stream = await subscribe(world.nodeToken)
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream')
    expect(await stream.next()).toBe(first)
    const second = await publish()
    expect(await stream.next()).toBe(second)
    await publish(other.clusterId)
    const third = await publish()
    expect(await stream.next()).toBe(third)
    await stream.close()
  })

  test('where nothing is published, the first event is the first version', async () => {
    await app.database.client.configBundle.deleteMany({ where: { clusterId: other.clusterId } })
    const waiting = await subscribe(other.admin, other.clusterId)
    const version = await publish(other.clusterId)
    expect(await waiting.next()).toBe(version)
    await waiting.close()
  })

  test('operators, admins and viewers name the cluster; a foreign one is one that does not exist', async () => {
    const latest = await publish()
    for (const token of [app.operator, world.admin, world.viewer]) {
      const stream = await subscribe(token, world.clusterId)
      expect(await stream.next()).toBe(latest)
      await stream.close()
      expect(await (await subscribe(token)).next()).toEqual(['BAD_USER_INPUT'])
    }
    for (const token of [world.nodeToken, world.admin]) {
      for (const id of [other.clusterId, randomUUID()]) {
        expect(await (await subscribe(token, id)).next()).toEqual(['NOT_FOUND'])
      }
    }
  })

  test('a token that was replaced, and a node that was deleted, hear of no further version', async () => {
    const latest = await publish(other.clusterId)
    const rotated = await subscribe(other.nodeToken)
    const deleted = await subscribe(other.adminNodeToken)
    expect(await rotated.next()).toBe(latest)
    expect(await deleted.next()).toBe(latest)
    await mutate(app, other.admin, 'rotateNodeToken', { nodeId: other.nodeId })
    await mutate(app, other.admin, 'deleteNode', { nodeId: other.adminNodeId })
    await publish(other.clusterId)
    expect(await rotated.next()).toBe('complete')
    expect(await deleted.next()).toBe('complete')
  })

  /** A stream of its own, as the application makes them, with a caller that the test decides about. */
  async function follow(isAllowed: () => Promise<boolean>, changes = app.database.changes) {
    const live = new LiveClusters(changes, { log: app.app.log, lookEvery: 5 })
    const listener = { scope: systemOperator(app.database), isAllowed, nodeId: null, expiresAt: null }
    return followPublished(live, world.clusterId, listener)
  }

  test('without any event a stream ends at the next look once its caller may not listen', async () => {
    let allowed = true
    const stream = await follow(() => Promise.resolve(allowed))
    expect((await stream.next()).done).toBe(false)
    const waiting = stream.next()
    allowed = false
    expect(await waiting).toEqual({ done: true, value: undefined })
  })

  test('what another instance published is found at the next look', async () => {
    const stream = await follow(() => Promise.resolve(true), new ChangeFeed())
    await stream.next()
    const version = await publish()
    expect((await stream.next()).value).toEqual({ clusterId: world.clusterId, version })
    await stream.return?.()
  })

  test('a stream that fails says so, masked, and ends; the log says why', async () => {
    const latest = await publish()
    const stream = await subscribe(world.nodeToken)
    expect(await stream.next()).toBe(latest)
    app.takeLog()
    const { read } = app.operatorScope
    Object.assign(read, { row: () => Promise.reject(new Error('the disk is gone')) })
    app.database.changes.emit({ kind: 'published', clusterId: world.clusterId, version: latest + 1 })
    expect(await stream.next()).toEqual(['INTERNAL_SERVER_ERROR'])
    expect(await stream.next()).toBe('complete')
    Reflect.deleteProperty(read, 'row')
    expect(JSON.stringify(app.takeLog())).toContain('the disk is gone')
  })

  test('a reader that sleeps through a thousand versions gets the newest, asked for once', async () => {
    let asked = 0
    const { clusterId } = world
    const live = new LiveClusters(app.database.changes, { log: app.app.log })
    const isAllowed = () => {
      asked += 1
      return Promise.resolve(true)
    }
    const scope = systemOperator(app.database)
    const stream = await followPublished(live, clusterId, { scope, isAllowed, nodeId: null, expiresAt: null })
    const { value: present } = await stream.next()
    const askedAtFirst = asked
    const from = present?.version ?? 0
    for (let step = 1; step <= 1000; step += 1) {
      app.database.changes.emit({ kind: 'published', clusterId, version: from + step })
    }
    expect((await stream.next()).value).toEqual({ clusterId, version: from + 1000 })
    expect(asked - askedAtFirst).toBe(1)
    // An event that comes late is no news.
    app.database.changes.emit({ kind: 'published', clusterId, version: from + 1 })
    const waiting = stream.next()
    await stream.return?.()
    expect((await waiting).done).toBe(true)
  })

  test('five hundred that come at once, as after a restart, all learn the version, in few statements', async () => {
    const latest = await publish()
    const count = 500
    const tokens = Array.from({ length: count }, (_, index) => [world.nodeToken, world.adminNodeToken][index % 2] ?? '')
    app.takeStatements()
    const streams = await Promise.all(tokens.map((token) => subscribe(token)))
    const versions = await Promise.all(streams.map((stream) => stream.next()))
    expect(new Set(versions)).toEqual(new Set([latest]))
    // Each for itself would take three: its credential at the door and before the event, and the state. They come one by
    // one, from one process; those of one turn of the event loop share.
    expect(app.takeStatements().length).toBeLessThan(2 * count + 50)
    const next = await publish()
    app.takeStatements()
    expect(new Set(await Promise.all(streams.map((stream) => stream.next())))).toEqual(new Set([next]))
    expect(app.takeStatements().length).toBeLessThan(count / 10)
    await Promise.all(streams.map((stream) => stream.close()))
  })

  test('when the server stops, streams complete and nothing waits for them', async () => {
    const mine = await startApp(engine)
    const own = await createWorld(mine, 'stopped', randomUUID())
    const listening = await listen(mine.app, { host: '127.0.0.1', port: 0, closeTimeout: 60_000 })
    const stream = await subscribe(own.nodeToken, null, listening.url)
    expect(await stream.next()).toBe(1000)
    const closed = listening.close()
    expect(await stream.next()).toBe('complete')
    expect(await stream.next()).toBe('closed')
    await closed
    expect(mine.takeLog().map(({ msg }) => msg)).not.toContain('requests did not end in time and were cut')
    await mine.close()
  })
})
