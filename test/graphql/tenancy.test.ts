import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { isId } from '../../src/base/ids.ts'
import { controlPlaneChain } from '../../src/db/audit/event.ts'
import { actionOf, unrecorded } from '../../src/graphql/changes/recorded.ts'
import { schema } from '../../src/graphql/schema.ts'
import { declaresAccess } from '../../src/graphql/kit/deny.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { send } from '../support/multipart.ts'
import { argumentsFor, operationFor, rootFields, selectInParts, pageOf, takesId } from '../support/schema-walk.ts'
import { createWorld, type World } from '../support/world.ts'

/** What would make the walk see nothing: its own query refused before it ran, or a fault. */
const neverAnswered = /GRAPHQL_(PARSE|VALIDATION)_FAILED|QUERY_TOO|INTERNAL_SERVER_ERROR/

const fields = rootFields(schema)
const withIds = fields.filter(({ field }) => field.args.some(takesId))

test.each(fields.map(({ kind, field }) => [kind, field.name, field] as const))(
  'the %s %s declares who may call it',
  (_kind, _name, field) => {
    expect(declaresAccess(field.extensions)).toBe(true)
  },
)

describe.each(engines)('the boundary between tenants on %s', (engine) => {
  let app: TestApp
  let ours: World
  let theirs: World
  const instanceId = randomUUID()
  /** Their rows as they were from the beginning: what is refused leaves them so. */
  let untouched: string

  beforeAll(async () => {
    app = await startApp(engine, { refusals: { take: () => true } })
    ours = await createWorld(app, 'ours', instanceId)
    theirs = await createWorld(app, 'theirs', instanceId)
    untouched = await theirRows()
  })
  afterAll(() => app.close())

  const outsiders = () =>
    ({
      admin: ours.admin,
      viewer: ours.viewer,
      node: ours.nodeToken,
      'admin node': ours.adminNodeToken,
      'enrolling machine': ours.clusterToken,
    }) as const
  const kinds = ['admin', 'viewer', 'node', 'admin node', 'enrolling machine'] as const

  /** All rows of the other tenant, as they are. */
  async function theirRows() {
    const { client } = app.database
    const where = { tenantId: theirs.tenantId }
    return JSON.stringify([
      await client.tenant.findMany({ where: { id: theirs.tenantId } }),
      await client.cluster.findMany({ where }),
      await client.node.findMany({ where, orderBy: { id: 'asc' } }),
      await client.configBundle.findMany({ where, omit: { data: true } }),
      await client.clusterState.findMany({ where: { cluster: where } }),
    ])
  }

  /** How many events the trail of each tenant has, and the one of no tenant. */
  async function lengths() {
    const count = (chain: string) => app.database.client.auditEvent.count({ where: { chain, sequence: { gt: 0 } } })
    const [our, their, control] = await Promise.all(
      [ours.tenantId, theirs.tenantId, controlPlaneChain].map((chain) => count(chain)),
    )
    return { ours: our ?? 0, theirs: their, control }
  }

  /** The newest events of our own trail. */
  const newest = (take: number) =>
    app.database.client.auditEvent.findMany({
      where: { chain: ours.tenantId },
      orderBy: { sequence: 'desc' },
      take,
    })

  /** Who they are in the trail. */
  const inTrail = {
    admin: () => ({ actorKind: 'tenantAdmin', actor: 'tina' }),
    viewer: () => ({ actorKind: 'tenantAdmin', actor: 'tina' }),
    node: () => ({ actorKind: 'node', credentialId: ours.nodeId }),
    'admin node': () => ({ actorKind: 'node', credentialId: ours.adminNodeId }),
    'enrolling machine': () => ({ actorKind: 'enrollingMachine', credentialId: ours.clusterId }),
  } as const
  const changedNothing = { outcome: 'refused', version: null, before: null, after: null }

  test.each(withIds.flatMap(({ kind, field }) => kinds.map((caller) => [kind, field.name, caller, field] as const)))(
    '%s %s: to %s of another tenant a foreign id is one that does not exist',
    async (kind, _name, caller, field) => {
      const ask = async (id: string) => {
        const args = argumentsFor(field, () => id)
        const answers = []
        for (const selection of selectInParts(field.type, 2, () => id)) {
          const operation = operationFor(kind, field, args, selection)
          const { status, text } = await send(app, outsiders()[caller], operation, args)
          answers.push({ status, answer: text.replaceAll(id, '<id>') })
        }
        return answers
      }
      const missing = await ask(randomUUID())
      for (const { answer } of missing) expect(answer).not.toMatch(neverAnswered)
      const foreign = [theirs.tenantId, theirs.clusterId, theirs.nodeId, theirs.adminNodeId]
      const trails = kind === 'mutation' ? await lengths() : null
      expect(await Promise.all(foreign.map(ask))).toEqual(foreign.map(() => missing))
      if (trails === null) return
      expect(await theirRows()).toBe(untouched)
      const tried = unrecorded.has(field.name) ? 0 : foreign.length * missing.length
      expect(await lengths()).toEqual({ ...trails, ours: trails.ours + tried })
      for (const event of await newest(tried)) {
        expect(event).toMatchObject({ action: actionOf(field.name), tenantId: ours.tenantId, ...inTrail[caller]() })
        expect(event).toMatchObject(changedNothing)
        expect(JSON.stringify(event)).not.toContain('theirs-')
      }
    },
  )

  test.each(
    fields
      .filter(({ kind, field }) => kind === 'query' && !field.args.some(({ type }) => String(type).endsWith('!')))
      .flatMap(({ kind, field }) => kinds.map((caller) => [field.name, caller, kind, field] as const)),
  )(
    '%s: every edge below it, followed by %s, leads to no row of another tenant',
    async (_name, caller, kind, field) => {
      for (const selection of selectInParts(field.type, 2, () => theirs.nodeId)) {
        const args = pageOf(field)
        const { text } = await send(app, outsiders()[caller], operationFor(kind, field, args, selection), args)
        expect(text).not.toMatch(neverAnswered)
        // The audit trail has the ids that our own callers named when they were refused, but nothing of theirs.
        const isTyped = (mark: string) => mark === theirs.nodeId || (field.name === 'auditEvents' && isId(mark))
        for (const mark of theirs.marks.filter((one) => !isTyped(one))) expect(text).not.toContain(mark)
      }
    },
  )

  test.each(
    withIds
      .filter(({ kind }) => kind === 'query')
      .flatMap(({ kind, field }) => kinds.map((caller) => [field.name, caller, kind, field] as const)),
  )('%s with ids of their own shows %s no row of another tenant', async (_name, caller, kind, field) => {
    for (const id of [ours.tenantId, ours.clusterId, ours.nodeId]) {
      const args = argumentsFor(field, () => id)
      for (const selection of selectInParts(field.type, 2, () => theirs.clusterId)) {
        const { text } = await send(app, outsiders()[caller], operationFor(kind, field, args, selection), args)
        expect(text).not.toMatch(neverAnswered)
        for (const mark of theirs.marks.filter((one) => one !== theirs.clusterId)) expect(text).not.toContain(mark)
      }
    }
  })

  test('after all of it their rows are what they were', async () => {
    expect(await theirRows()).toBe(untouched)
  })

  test('the walk can see rows at all: with ids of their own the admin finds them', async () => {
    const found: string[] = []
    for (const { kind, field } of withIds.filter((one) => one.kind === 'query')) {
      for (const id of [theirs.tenantId, theirs.clusterId, theirs.nodeId]) {
        const args = argumentsFor(field, () => id)
        for (const selection of selectInParts(field.type, 2, () => id)) {
          const { text } = await send(app, theirs.admin, operationFor(kind, field, args, selection), args)
          if (text.includes('theirs-')) found.push(field.name)
        }
      }
    }
    expect([...new Set(found)].sort()).toEqual(
      expect.arrayContaining(['cluster', 'configBundle', 'node', 'nodes', 'tenant']),
    )
  })
})
