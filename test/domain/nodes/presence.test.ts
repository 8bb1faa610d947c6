import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../../src/auth/system.ts'
import type { ClusterEvent } from '../../../src/db/notify/changes.ts'
import { Presence, presenceResolution } from '../../../src/domain/presence/presence.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, newNode, nodeRow, type World } from '../../support/world.ts'

const poll = '{ viewer { __typename } }'
const shown = 'node { runningConfigVersion nebulaVersion lastError lastSeenAt }'

describe.each(engines)('what nodes report on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'own', randomUUID())
    await app.database.client.cluster.update({ where: { id: world.clusterId }, data: { configVersion: 100 } })
  })
  afterAll(() => app.close())
  beforeEach(async () => {
    await app.flush()
    app.takeStatements()
  })

  const row = (id: string) => nodeRow(app, id)
  const report = (token: string, input: object) =>
    mutate<{ node: Record<string, unknown> }>(app, token, 'reportNodeStatus', input, shown)
  const writes = () => app.takeStatements().filter((sql) => /^\s*(UPDATE|WITH)/i.test(sql) && /\bnodes\b/.test(sql))
  /** As if the node had been seen so many milliseconds ago. */
  const seenAgo = (id: string, milliseconds: number) =>
    app.database.client.node.update({ where: { id }, data: { lastSeenAt: new Date(Date.now() - milliseconds) } })
  /** What is told of the cluster while something is done. */
  const eventsWhile = async (work: () => Promise<unknown>): Promise<ClusterEvent[]> => {
    const events: ClusterEvent[] = []
    const unlisten = app.database.changes.listen((event) => {
      if (event.kind === 'reported') events.push(event)
    })
    await work()
    unlisten()
    return events
  }

  test('a report writes nothing by itself, and its answer is the node with all that was reported', async () => {
    const { id, token } = await newNode(app, world)
    app.takeStatements()
    const first = await report(token, { runningConfigVersion: 7, nebulaVersion: '1.9.5', lastError: 'no' })
    expect(first.node).toMatchObject({ runningConfigVersion: 7, nebulaVersion: '1.9.5', lastError: 'no' })
    const second = await report(token, { runningConfigVersion: 8 })
    expect(second.node).toMatchObject({ runningConfigVersion: 8, nebulaVersion: '1.9.5', lastError: null })
    expect(writes()).toEqual([])
    expect(await row(id)).toMatchObject({ runningConfigVersion: null, lastSeenAt: null })
    await app.flush()
    expect(await row(id)).toMatchObject({ runningConfigVersion: 8, nebulaVersion: '1.9.5', lastError: null })
    expect((await row(id)).lastSeenAt?.toISOString()).toBe(second.node['lastSeenAt'])
  })

  test('a thousand nodes that report at once are written with a handful of statements', async () => {
    const ids = Array.from({ length: 1000 }, () => randomUUID())
    const tokens = ids.map(() => app.tokens.newNodeToken())
    const place = { tenantId: world.tenantId, clusterId: world.clusterId, routes: [], groups: [] }
    await app.database.client.node.createMany({
      data: ids.map((id, index) => {
        const tokenHash = tokens[index]?.hash ?? ''
        return { ...place, id, name: id, overlayIp: `10.99.${index >> 8}.${index & 255}`, tokenHash }
      }),
    })
    const answers = await Promise.all(
      tokens.map(({ token }, index) => report(token, { runningConfigVersion: 1 + (index % 50) })),
    )
    expect(answers.filter(({ __typename: type }) => type !== 'ReportNodeStatusPayload')).toEqual([])
    app.takeStatements()
    const events = await eventsWhile(() => app.flush())
    expect(app.takeStatements().length).toBeLessThanOrEqual(8)
    const rows = await app.database.client.node.findMany({ where: { id: { in: ids } } })
    const versions = new Map(rows.map(({ id, runningConfigVersion }) => [id, runningConfigVersion]))
    expect(ids.map((id) => versions.get(id))).toEqual(ids.map((_, index) => 1 + (index % 50)))
    expect(rows.filter(({ lastSeenAt }) => lastSeenAt === null)).toEqual([])
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ kind: 'reported', clusterId: world.clusterId })
    expect(events[0]?.kind === 'reported' && events[0].nodes.length).toBe(1000)
  })

  test('an error of any text is kept as a text: half a surrogate pair holds nobody up', async () => {
    const { id, token } = await newNode(app, world)
    const other = await newNode(app, world)
    await report(token, { lastError: 'a\uD800\0"b\\' })
    await report(other.token, { runningConfigVersion: 3 })
    await app.flush()
    expect((await row(id)).lastError).toBe('a\uFFFD "b\\')
    expect((await row(other.id)).runningConfigVersion).toBe(3)
  })

  describe('being seen', () => {
    test.each([
      ['asks by GraphQL', (token: string) => app.ask(token, poll)],
      [
        'polls for its bundle',
        (token: string) => app.fetch('/bundle', { headers: { authorization: `Bearer ${token}` } }),
      ],
    ])('a node that %s counts as seen, without a report', async (_what, ask) => {
      const { id, token } = await newNode(app, world)
      await ask(token)
      const events = await eventsWhile(() => app.flush())
      expect(Date.now() - ((await row(id)).lastSeenAt?.getTime() ?? 0)).toBeLessThan(60_000)
      expect(await row(id)).toMatchObject({ runningConfigVersion: null, lastError: null })
      expect(events).toEqual([
        { kind: 'reported', clusterId: world.clusterId, nodes: [{ nodeId: id, appliedVersion: null }] },
      ])
    })

    test('a node that holds a stream open counts as seen, each time that its credential is looked at', async () => {
      const { id, token } = await newNode(app, world)
      const query = 'subscription { configPublished { version } }'
      const response = await app.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query }),
      })
      const reader = response.body?.getReader()
      await reader?.read()
      await app.flush()
      expect((await row(id)).lastSeenAt).not.toBeNull()
      await reader?.cancel()
    })

    test('nothing is written while nothing is due: of one node, once a minute', async () => {
      const { id, token } = await newNode(app, world)
      await app.ask(token, poll)
      await app.flush()
      const before = (await row(id)).lastSeenAt
      app.takeStatements()
      for (let round = 0; round < 5; round += 1) {
        await app.ask(token, poll)
        await app.flush()
      }
      expect(writes()).toEqual([])
      expect((await row(id)).lastSeenAt).toEqual(before)
    })

    test('another instance that has just written the node is as good', async () => {
      const { id, token } = await newNode(app, world)
      const { lastSeenAt } = await seenAgo(id, 0.5 * presenceResolution)
      await app.ask(token, poll)
      expect(await eventsWhile(() => app.flush())).toEqual([])
      expect((await row(id)).lastSeenAt).toEqual(lastSeenAt)
    })

    test.each([1.5, -1.5])('a node last seen %d minutes ago is written', async (minutes) => {
      const { id, token } = await newNode(app, world)
      const { lastSeenAt } = await seenAgo(id, minutes * presenceResolution)
      await app.ask(token, poll)
      await app.flush()
      expect((await row(id)).lastSeenAt).not.toEqual(lastSeenAt)
    })

    test('does not wipe out what was reported', async () => {
      const { id, token } = await newNode(app, world)
      await report(token, { runningConfigVersion: 9, nebulaVersion: '1.9.5', lastError: 'no' })
      await app.flush()
      await seenAgo(id, 2 * presenceResolution)
      const presence = new Presence({ operator: systemOperator(app.database), log: app.app.log, interval: null })
      presence.seen(id)
      await presence.flush()
      expect(await row(id)).toMatchObject({ runningConfigVersion: 9, nebulaVersion: '1.9.5', lastError: 'no' })
      expect(Date.now() - ((await row(id)).lastSeenAt?.getTime() ?? 0)).toBeLessThan(60_000)
    })

    test('a token that was rotated away marks nobody', async () => {
      const { id, token } = await newNode(app, world)
      await mutate(app, world.admin, 'rotateNodeToken', { nodeId: id })
      await app.answer(token, poll)
      await app.fetch('/bundle', { headers: { authorization: `Bearer ${token}` } })
      await app.answer(token, 'mutation { reportNodeStatus(input: {}) { __typename } }')
      await app.flush()
      expect((await row(id)).lastSeenAt).toBeNull()
    })
  })

  test('a report of what is known already is not written again, and one of anything else is', async () => {
    const { id, token } = await newNode(app, world)
    const known = { runningConfigVersion: 5, nebulaVersion: '1.9.5' }
    await report(token, known)
    await app.flush()
    await report(token, known)
    expect(await eventsWhile(() => app.flush())).toEqual([])
    await report(token, { ...known, lastError: 'no' })
    const told = (appliedVersion: number | null) => [
      { kind: 'reported', clusterId: world.clusterId, nodes: [{ nodeId: id, appliedVersion }] },
    ]
    expect(await eventsWhile(() => app.flush())).toEqual(told(null))
    await report(token, { runningConfigVersion: 6 })
    expect(await eventsWhile(() => app.flush())).toEqual(told(6))
  })

  test('a node that was deleted meanwhile holds nobody up', async () => {
    const gone = await newNode(app, world)
    const { id, token } = await newNode(app, world)
    await report(gone.token, { runningConfigVersion: 2 })
    await report(token, { runningConfigVersion: 2 })
    await mutate(app, world.admin, 'deleteNode', { nodeId: gone.id })
    await app.flush()
    expect(await row(id)).toMatchObject({ runningConfigVersion: 2 })
    app.takeStatements()
    await app.flush()
    expect(app.takeStatements()).toEqual([])
  })

  test('what is refused is not noted: a version that there is not', async () => {
    const { id, token } = await newNode(app, world)
    const { issues } = await report(token, { runningConfigVersion: 100_000, lastError: 'no' })
    expect(issues?.[0]?.path).toEqual(['input', 'runningConfigVersion'])
    await app.flush()
    expect(await row(id)).toMatchObject({ runningConfigVersion: null, lastError: null })
  })
})
