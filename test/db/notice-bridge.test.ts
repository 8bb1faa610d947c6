import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { openConnection } from '../../src/db/client/connection.ts'
import type { ChangeEvent } from '../../src/db/notify/changes.ts'
import { readNotice, writeNotices } from '../../src/db/notify/notices.ts'
import { startNoticeBridge, type NoticeBridge } from '../../src/db/notify/bridge.ts'
import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, startBeside, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { mutate, publishVersion } from '../support/mutate.ts'
import { openStream } from '../support/streams.ts'
import { createNode, createWorld, type World } from '../support/world.ts'

const published = 'subscription ($id: UUID) { configPublished(clusterId: $id) { version } }'
const changed = `subscription ($id: UUID!) {
  clusterChanged(clusterId: $id) { __typename ... on NodeAdded { node { id } } ... on NodesSeen { nodeIds } }
}`

describe('two instances on one PostgreSQL', () => {
  let here: TestApp
  let there: TestApp
  let world: World
  let server: Listening
  let bridges: NoticeBridge[]
  beforeAll(async () => {
    here = await startApp('postgresql')
    there = await startBeside(here)
    world = await createWorld(here, 'shared', randomUUID())
    bridges = await Promise.all([
      startNoticeBridge(here.database, { log: here.app.log, retry: 300 }),
      startNoticeBridge(there.database, { log: there.app.log, retry: 300 }),
    ])
    server = await listen(here.app, { host: '127.0.0.1', port: 0 })
  })
  afterAll(async () => {
    await server.close()
    for (const bridge of bridges) await bridge.close()
    await there.close()
    await here.close()
  })

  /** Streams of the one instance. */
  const subscribe = (token: string, query: string, id: string | null = null) =>
    openStream<object>(server.url, token, { query, variables: { id } })

  const publishThere = () => publishVersion(there, world.admin, world.clusterId)

  test('what happens in one is told by the other: versions, nodes, and the end of a credential', async () => {
    await here.database.client.configBundle.deleteMany({})
    const versions = await subscribe(world.nodeToken, published)
    const first = await publishThere()
    expect(await versions.next()).toEqual({ version: first })
    const page = await subscribe(world.admin, changed, world.clusterId)
    expect(await page.next()).toEqual({ __typename: 'ClusterResync' })
    const node = await createNode(there, world.admin, { clusterId: world.clusterId, name: 'made-there' })
    expect(await page.next()).toEqual({ __typename: 'NodeAdded', node: { id: node.id } })
    const rotated = await subscribe(node.token, published)
    await rotated.next()
    await mutate(there, world.admin, 'rotateNodeToken', { nodeId: node.id })
    expect(await rotated.next()).toBe('complete')
    await Promise.all([versions.close(), page.close()])
  })

  test('who signs out at one has their streams at the other ended, too', async () => {
    const session = await there.signIns.exchange(await there.signIns.makeLink('olga'))
    const page = await subscribe(session?.token ?? '', changed, world.clusterId)
    expect(await page.next()).toEqual({ __typename: 'ClusterResync' })
    const headers = { 'x-orrery-client': 'web', authorization: `Bearer ${session?.token ?? ''}` }
    expect((await there.fetch('/sign-out', { method: 'POST', headers })).status).toBe(204)
    expect(await page.next()).toBe('complete')
  })

  test('what is published while the listener’s connection is lost is learned once it is there again', async () => {
    const versions = await subscribe(world.nodeToken, published)
    await versions.next()
    const page = await subscribe(world.admin, changed, world.clusterId)
    await page.next()
    const connection = await openConnection(here.url)
    const ended = await connection.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'orrery listener' AND datname = current_database()`)
    await connection.close()
    expect(ended).toHaveLength(2)
    const version = await publishThere()
    expect(await versions.next()).toEqual({ version })
    expect(await page.next()).toEqual({ __typename: 'ClusterResync' })
    // And from then on everything is told again.
    const next = await publishThere()
    expect(await versions.next()).toEqual({ version: next })
    await Promise.all([versions.close(), page.close()])
    expect(here.takeLog().map(({ msg }) => msg)).toContain('listening to the other instances again')
  })

  test('events of one tick go out in one statement, and an instance passes over its own', async () => {
    const heard: { event: ChangeEvent; isOwn: boolean }[] = []
    const unlisten = here.database.changes.listen((event, isOwn) => heard.push({ event, isOwn }))
    const toldThere = (name: string) =>
      new Promise<ChangeEvent>((resolve) => {
        const stop = there.database.changes.listen((event) => {
          if (event.kind !== 'nodeRemoved' || event.name !== name) return
          stop()
          resolve(event)
        })
      })
    const { clusterId } = world
    const removed = (name: string) => ({ kind: 'nodeRemoved', clusterId, nodeId: randomUUID(), name }) as const
    // What was told before this test is on its way no longer, and the client has said so.
    // The other instance may still be on its way back to the database, so it is told until it hears.
    const before = toldThere('before')
    const telling = setInterval(() => here.database.changes.emit(removed('before')), 100)
    await before
    clearInterval(telling)
    await new Promise((resolve) => setTimeout(resolve, 200))
    here.takeStatements()
    heard.length = 0
    const told = toldThere('first')
    for (let index = 0; index < 200; index += 1) {
      here.database.changes.emit({ kind: 'nodeChanged', clusterId, nodeId: randomUUID() })
    }
    const first = removed('first')
    here.database.changes.emit(first)
    expect(await told).toEqual(first)
    // The word of it is there before the client says that it ran the statement.
    const notices: string[] = []
    while (notices.length === 0) {
      await new Promise((resolve) => setImmediate(resolve))
      notices.push(...here.takeStatements().filter((sql) => sql.includes('pg_notify')))
    }
    expect(notices).toHaveLength(1)
    // Had the other sent them back, they would be here before its answer to the next one.
    const back = new Promise<void>((resolve) => {
      const stop = there.database.changes.listen((_event, isOwn) => {
        if (isOwn) return
        stop()
        there.database.changes.emit(removed('answer'))
        resolve()
      })
    })
    here.database.changes.emit(removed('second'))
    await back
    const isAnswer = ({ event }: (typeof heard)[number]) => event.kind === 'nodeRemoved' && event.name === 'answer'
    await eventually('the answer is heard', () => heard.some(isAnswer))
    expect(heard.filter(({ isOwn }) => !isOwn)).toHaveLength(1)
    unlisten()
  })
})

describe('notices', () => {
  const clusterId = randomUUID()

  test('ten thousand reports fit into notices of less than 8000 bytes, none lost and all in order', () => {
    const nodes = Array.from({ length: 10_000 }, (_, index) => ({ nodeId: randomUUID(), appliedVersion: index }))
    const notices = writeNotices('here', [
      { kind: 'reported', clusterId, nodes },
      { kind: 'nodeRemoved', clusterId, nodeId: 'x', name: 'ü'.repeat(1000) },
    ])
    expect(Math.max(...notices.map((text) => Buffer.byteLength(text)))).toBeLessThan(8000)
    const events = notices.flatMap((text) => readNotice('there', text))
    expect(events.flatMap((event) => (event.kind === 'reported' ? event.nodes : []))).toEqual(nodes)
    expect(events.at(-1)).toMatchObject({ kind: 'nodeRemoved' })
  })

  test('what cannot be read was missed, and one’s own is passed over', () => {
    expect(readNotice('here', 'none')).toEqual([{ kind: 'missed' }])
    expect(readNotice('here', undefined)).toEqual([{ kind: 'missed' }])
    expect(readNotice('here', '{"from":"there","events":[{"kind":"tomorrow"}]}')).toEqual([{ kind: 'missed' }])
    expect(readNotice('here', writeNotices('here', [{ kind: 'missed' }])[0])).toEqual([])
  })
})
