import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../support/app.ts'
import { callWith } from '../support/changes.ts'
import { engines } from '../support/database.ts'
import { createWorld, type World } from '../support/world.ts'

describe.each(engines)('who is in the audit trail, and what they changed, on %s', (engine) => {
  let app: TestApp
  let ours: World
  beforeAll(async () => {
    app = await startApp(engine)
    ours = await createWorld(app, 'ours', randomUUID())
  })
  afterAll(() => app.close())

  const events = (where: object) =>
    app.database.client.auditEvent.findMany({ where: { ...where, sequence: { gt: 0 } }, orderBy: { id: 'asc' } })

  test('sign-in and sign-out are in it, with the session', async () => {
    const session = await app.signIns.exchange(await app.signIns.makeLink('Ada'))
    const [begun] = await events({ action: 'session.begin' })
    await app.signIns.signOut(begun?.credentialId ?? '')
    const [ended] = await events({ action: 'session.end' })
    expect(session).not.toBeNull()
    expect(begun).toMatchObject({ actor: 'Ada', actorKind: 'operator', tenantId: null })
    expect(ended?.credentialId).toBe(begun?.credentialId)
  })

  test('a tenant finds the sign-ins of its people in its own trail', async () => {
    const { tenantId } = ours
    await app.signIns.exchange(await app.signIns.makeLink('Grace', { role: 'viewer', tenantId }))
    const [begun] = await events({ action: 'session.begin', actor: 'Grace' })
    expect(begun).toMatchObject({ actorKind: 'tenantAdmin', tenantId, chain: tenantId })
  })

  test('a change of many nodes names those that it has written', async () => {
    const ids = [ours.nodeId, ours.adminNodeId]
    const { text } = await callWith(app, ours.admin, 'updateNodes', {
      input: { ids, set: { mtu: 1333 } },
      select: '__typename',
    })
    expect(text).toContain('UpdateNodesPayload')
    const [row] = await events({ action: 'nodes.update' })
    expect(JSON.parse(row?.targets ?? '')).toEqual(
      expect.arrayContaining(ids.map((id) => expect.objectContaining({ type: 'Node', id }))),
    )
  })
})
