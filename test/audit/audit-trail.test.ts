import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { createLog } from '../../src/base/log.ts'
import { hashOf } from '../../src/db/audit/event.ts'
import { AuditKeeper } from '../../src/domain/audit/keeper.ts'
import { verifyAudit } from '../../src/domain/audit/verify.ts'
import { actionOf, unrecorded } from '../../src/graphql/changes/recorded.ts'
import { schema } from '../../src/graphql/schema.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { bumping, callWith } from '../support/changes.ts'
import { engines } from '../support/database.ts'
import { send } from '../support/multipart.ts'
import { argumentsFor, operationFor, rootFields, selectInParts } from '../support/schema-walk.ts'
import { createWorld, type World } from '../support/world.ts'

const mutations = rootFields(schema).filter(({ kind }) => kind === 'mutation')

test('only reports of presence are not in the audit trail', () => {
  expect([...unrecorded].sort()).toEqual(['heartbeatReplica', 'reportClusterState', 'reportNodeStatus'])
})

describe.each(engines)('the audit trail on %s', (engine) => {
  let app: TestApp
  let ours: World
  let theirs: World
  beforeAll(async () => {
    app = await startApp(engine)
    ours = await createWorld(app, 'ours', randomUUID())
    theirs = await createWorld(app, 'theirs', randomUUID())
  })
  afterAll(() => app.close())

  const events = (where: object = {}) =>
    app.database.client.auditEvent.findMany({ where: { ...where, sequence: { gt: 0 } }, orderBy: { id: 'asc' } })
  const anchorOf = ({ tenantId: chain }: World) => ({ chain_sequence: { chain, sequence: 0 } })
  const keys = () => ({ present: app.keys.audit, previous: [] })
  const keeper = (options: { days: number; now?: () => number }) =>
    new AuditKeeper({ operator: app.operatorScope, keys: keys(), log: createLog('silent'), ...options })
  const keep = async (options: { days: number; now?: () => number }) => {
    const pieces = keeper(options).keep()
    while ((await pieces.next()).done !== true);
  }
  const problems = async () => {
    const found: Record<string, string | null> = {}
    for await (const { chain, problem } of verifyAudit(app.operatorScope, keys())) found[chain] = problem
    return found
  }
  const broken = async () => Object.values(await problems()).flatMap((problem) => (problem === null ? [] : [problem]))
  const setMtu = (mtu: number, world = ours) =>
    app.ask<{ updateNodeMtu: { message?: string } }>(
      world.admin,
      `mutation ($id: UUID!, $mtu: Int!) {
        updateNodeMtu(input: { nodeId: $id, mtu: $mtu }) { __typename ... on Error { message } }
      }`,
      { id: world.nodeId, mtu },
    )

  test.each(mutations.map(({ field }) => [field.name, field] as const))(
    '%s leaves its row, be it done or refused, and a caller that may not call it leaves one, too',
    async (name, field) => {
      const before = (await events()).length
      const args = argumentsFor(field, () => randomUUID())
      const selection = selectInParts(field.type, 1, () => randomUUID())[0] ?? '__typename'
      const operation = operationFor('mutation', field, args, selection)
      // Some are for nodes or for machines that enroll: then the operator is the one who may not.
      await send(app, app.operator, operation, args)
      await send(app, ours.viewer, operation, args)
      const rows = (await events()).slice(before)
      expect(rows.map(({ action, actorKind }) => [action, actorKind])).toEqual(
        unrecorded.has(name)
          ? []
          : [
              [actionOf(name), 'operator'],
              [actionOf(name), 'tenantAdmin'],
            ],
      )
      if (!unrecorded.has(name)) expect(rows.at(-1)).toMatchObject({ outcome: 'refused', refusal: 'FORBIDDEN' })
    },
  )

  test('a change has its actor, its request, its target, and the changed values before and after', async () => {
    await setMtu(1400)
    await setMtu(1450)
    const row = (await events({ action: 'node.mtu.update', outcome: 'done' })).at(-1)
    const cluster = await app.database.client.cluster.findUniqueOrThrow({ where: { id: ours.clusterId } })
    expect(row).toMatchObject({
      ...{ actorKind: 'tenantAdmin', tenantId: ours.tenantId, clusterId: ours.clusterId },
      version: cluster.configVersion,
      before: JSON.stringify({ [`Node ${ours.nodeId}`]: { mtu: 1400 } }),
      after: JSON.stringify({ [`Node ${ours.nodeId}`]: { mtu: 1450 } }),
    })
    expect(row?.requestId).toMatch(/^[\da-f-]{36}$/)
    expect(JSON.parse(row?.targets ?? '')).toContainEqual({ type: 'Node', id: ours.nodeId, name: 'ours-node' })
  })

  test('a refused change says why, and a dry run leaves no row', async () => {
    await setMtu(7)
    expect((await events({ action: 'node.mtu.update' })).at(-1)).toMatchObject({
      ...{ outcome: 'refused', refusal: 'ValidationError', tenantId: ours.tenantId, before: null, after: null },
    })
    const before = (await events()).length
    await app.ask(
      ours.admin,
      'mutation ($id: UUID!) { updateNodeMtu(input: { nodeId: $id, mtu: 1500, dryRun: true }) { __typename } }',
      { id: ours.nodeId },
    )
    expect(await events()).toHaveLength(before)
  })

  test('no secret that a change made is in it', async () => {
    const secrets = [ours.clusterToken, ours.nodeToken, theirs.nodeToken]
    const shown: string[] = []
    for (const [name, input] of Object.entries(bumping)) {
      const { text } = await callWith(app, ours.admin, name, {
        input: await input(ours, app),
        select: '__typename ... on RotateNodeTokenPayload { token } ... on RotateClusterTokenPayload { token }'
          .split(/ (?=\.)/)
          .filter((part) => !part.startsWith('...') || part.toLowerCase().includes(`on ${name.toLowerCase()}payload`))
          .join(' '),
      })
      shown.push(...(text.match(/\bor[a-z]_[\w-]{43}/g) ?? []))
    }
    // Of the node and of the cluster.
    expect(shown).toHaveLength(2)
    secrets.push(...shown)
    const { client } = app.database
    const clusters = await client.cluster.findMany()
    const nodes = await client.node.findMany()
    secrets.push(...nodes.map(({ tokenHash }) => tokenHash))
    for (const { clusterTokenHash, pkiCaKey, pkiOtherCaKey, bundleSigningKey } of clusters) {
      secrets.push(...[clusterTokenHash, pkiCaKey, pkiOtherCaKey, bundleSigningKey].filter((one) => one !== null))
    }
    const all = JSON.stringify(await events())
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([])
    expect(all).not.toContain('PRIVATE KEY')
    expect(all).toContain('(secret)')
  })

  test('a tenant admin reads what concerns its tenant, an operator everything, others nothing', async () => {
    const query = '{ auditEvents(first: 500) { nodes { tenantId } } }'
    const read = async (token: string) => {
      const { auditEvents } = await app.ask<{ auditEvents: { nodes: { tenantId: string | null }[] } }>(token, query)
      return new Set(auditEvents.nodes.map(({ tenantId }) => tenantId))
    }
    expect(await read(ours.admin)).toEqual(new Set([ours.tenantId]))
    expect((await read(app.operator)).size).toBeGreaterThan(2)
    for (const token of [ours.viewer, theirs.nodeToken, theirs.adminNodeToken, theirs.clusterToken]) {
      expect((await send(app, token, query, {})).text).toContain('FORBIDDEN')
    }
  })

  test('the list is filtered, ordered and paged', async () => {
    const filter = {
      clusterId: ours.clusterId,
      action: 'node.mtu.update',
      outcome: 'DONE',
      since: '2020-01-01T00:00:00Z',
    }
    const ask = async (orderBy: string, after: string | null = null) => {
      const { auditEvents: page } = await app.ask<{
        auditEvents: { totalCount: number; nodes: { sequence: number }[]; pageInfo: { endCursor: string } }
      }>(
        ours.admin,
        `query ($filter: AuditEventFilter, $orderBy: AuditEventOrder, $after: String) {
          auditEvents(first: 1, after: $after, filter: $filter, orderBy: $orderBy) {
            totalCount nodes { sequence } pageInfo { endCursor }
          }
        }`,
        { filter, orderBy, after },
      )
      return { first: page.nodes[0]?.sequence ?? 0, total: page.totalCount, end: page.pageInfo.endCursor }
    }
    const [newest, oldest] = [await ask('NEWEST_FIRST'), await ask('OLDEST_FIRST')]
    expect(newest.total).toBeGreaterThanOrEqual(2)
    expect(newest.first).toBeGreaterThan(oldest.first)
    expect((await ask('OLDEST_FIRST', oldest.end)).first).toBeGreaterThan(oldest.first)
  })

  test('an anchor is no event: it is in no list, and does not count', async () => {
    await keep({ days: 0 })
    const { nodes, totalCount } = (
      await app.ask<{ auditEvents: { totalCount: number; nodes: { action: string }[] } }>(
        app.operator,
        '{ auditEvents(first: 500) { totalCount nodes { action } } }',
      )
    ).auditEvents
    expect(nodes.filter(({ action }) => action === 'audit.anchor')).toEqual([])
    expect(totalCount).toBe((await events()).length)
    expect(await app.database.client.auditEvent.count({ where: { action: 'audit.anchor' } })).toBeGreaterThan(2)
  })

  test('changes of one tenant at the same time make one chain without gaps', async () => {
    const worlds = [ours, theirs].flatMap((world) => Array.from({ length: 8 }, (_, index) => ({ world, index })))
    await Promise.all(worlds.map(({ world, index }) => setMtu(1300 + index, world)))
    expect(await broken()).toEqual([])
  })

  describe('what was done to it', () => {
    /** Does something to the rows, looks at what the verification says, and restores the rows. */
    async function after(harm: (rows: Awaited<ReturnType<typeof events>>) => Promise<unknown>): Promise<string[]> {
      const { client } = app.database
      const rows = await events({ chain: ours.tenantId })
      try {
        await harm(rows)
        return await broken()
      } finally {
        await client.auditEvent.deleteMany({ where: { chain: ours.tenantId, sequence: { gt: 0 } } })
        await client.auditEvent.createMany({ data: rows })
      }
    }
    const update = (id: string | undefined, data: object) =>
      app.database.client.auditEvent.update({ where: { id: id ?? '' }, data })

    test('a changed row is named', async () => {
      let id: string | undefined
      const found = await after((rows) => update((id = rows[2]?.id), { actor: 'somebody else' }))
      expect(found).toEqual([`row 3 (${id}) was changed`])
    })

    test('a removed row is named', async () => {
      const found = await after((rows) => app.database.client.auditEvent.delete({ where: { id: rows[2]?.id ?? '' } }))
      expect(found).toEqual([expect.stringMatching(/^row 3 was removed before 4 /)])
    })

    test('a row that was put in is named', async () => {
      const found = await after(async (rows) => {
        const [second, third] = [rows[1], rows[2]]
        if (!second || !third) throw new Error('the chain is too short')
        await app.database.client.auditEvent.delete({ where: { id: third.id } })
        await app.database.client.auditEvent.create({ data: { ...second, id: randomUUID(), sequence: 3 } })
      })
      expect(found).toEqual([expect.stringMatching(/^row 3 \(.* was changed$/)])
    })

    test('newest rows that are removed are missed, be the mark of the newest one moved or not', async () => {
      await keep({ days: 0 })
      const cut = (mark: boolean) => async (rows: Awaited<ReturnType<typeof events>>) => {
        await app.database.client.auditEvent.delete({ where: { id: rows.at(-1)?.id ?? '' } })
        if (mark) await update(rows.at(-2)?.id, { headOf: ours.tenantId })
      }
      expect(await after(cut(false))).toEqual([expect.stringMatching(/was removed at the end$/)])
      expect(await after(cut(true))).toEqual([expect.stringMatching(/was removed at the end$/)])
    })

    test('an anchor that was forged is found', async () => {
      await keep({ days: 0 })
      const { client } = app.database
      const where = anchorOf(ours)
      const anchor = await client.auditEvent.findUniqueOrThrow({ where })
      const after = JSON.stringify({ ...(JSON.parse(anchor.after ?? '') as object), headSequence: 1 })
      const forged = { ...anchor, after }
      // With its hash made anew and without: what cannot be made anew is the signature.
      for (const data of [forged, { ...forged, hash: hashOf(forged) }, { ...anchor, signature: null }]) {
        await client.auditEvent.update({ where, data })
        expect(await broken()).toEqual([expect.stringMatching(/^its anchor was changed/)])
      }
      await client.auditEvent.update({ where, data: anchor })
      expect(await broken()).toEqual([])
    })
  })

  test('a deleted tenant’s trail stays, for operators', async () => {
    const gone = await createWorld(app, 'gone', randomUUID())
    await app.ask(app.operator, 'mutation ($id: UUID!) { deleteTenant(input: { id: $id }) { __typename } }', {
      id: gone.tenantId,
    })
    const rows = await events({ chain: gone.tenantId })
    expect(rows.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['tenant.create', 'cluster.create', 'node.create', 'tenant.delete']),
    )
    expect(rows[0]).toMatchObject({ sequence: 1, action: 'tenant.create', previousHash: null })
  })

  test('old rows are removed, the newest one stays, and the chain begins at a signed anchor', async () => {
    await keep({ days: 30, now: () => Date.now() + 40 * 24 * 3_600_000 })
    expect(await events({ chain: ours.tenantId })).toHaveLength(1)
    expect(await broken()).toEqual([])
    await setMtu(1444)
    expect(await broken()).toEqual([])
    await app.database.client.auditEvent.delete({ where: anchorOf(ours) })
    expect(await broken()).toEqual([expect.stringMatching(/^row 1 to \d+ was removed/)])
  })
})
