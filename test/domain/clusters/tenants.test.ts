import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, type World } from '../../support/world.ts'

describe.each(engines)('tenants on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'world', randomUUID())
  })
  afterAll(() => app.close())

  const create = (name: string) =>
    mutate<{ tenant: { id: string; name: string } }>(app, app.operator, 'createTenant', { name }, 'tenant { id name }')

  test('an operator creates one, with the name trimmed, and finds it', async () => {
    const { tenant } = await create('  Acme  ')
    expect(tenant.name).toBe('Acme')
    const found = await app.ask(
      app.operator,
      'query ($id: UUID!) { tenant(id: $id) { name } tenants(filter: { name: "acm" }) { totalCount nodes { id } } }',
      { id: tenant.id.toUpperCase() },
    )
    expect(found).toEqual({ tenant: { name: 'Acme' }, tenants: { totalCount: 1, nodes: [{ id: tenant.id }] } })
  })

  test.each([
    ['', 'must not be empty'],
    ['   ', 'must not be empty'],
    ['a\u0000b', 'must not contain control characters'],
    ['a\nb', 'must not contain control characters'],
    ['evil\u202egnp', 'must not contain control characters'],
    ['x'.repeat(256), 'must have at most 255 characters'],
  ])('the name %j is refused: %s', async (name, message) => {
    expect(await create(name)).toMatchObject({
      __typename: 'ValidationError',
      issues: [{ path: ['input', 'name'], message }],
    })
  })

  test('255 characters fit, each counted once whatever its bytes', async () => {
    expect((await create('🛰'.repeat(255))).__typename).toBe('CreateTenantPayload')
  })

  test('a name is given once', async () => {
    await create('Twice')
    expect(await create('Twice')).toEqual({
      __typename: 'ConflictError',
      message: 'A tenant named "Twice" exists already',
    })
  })

  test('whoever belongs to one sees that one only', async () => {
    for (const token of [world.admin, world.viewer, world.nodeToken]) {
      const { tenants } = await app.ask<{ tenants: unknown }>(token, '{ tenants { totalCount nodes { id } } }')
      expect(tenants).toEqual({ totalCount: 1, nodes: [{ id: world.tenantId }] })
    }
  })

  test('deleting one takes everything in it along, and ends its credentials', async () => {
    const doomed = await createWorld(app, 'doomed', randomUUID())
    await mutate(app, app.operator, 'deleteTenant', { id: doomed.tenantId })
    const { client } = app.database
    const where = { tenantId: doomed.tenantId }
    expect(await client.cluster.count({ where })).toBe(0)
    expect(await client.node.count({ where })).toBe(0)
    expect(await client.configBundle.count({ where })).toBe(0)
    for (const token of [doomed.admin, doomed.nodeToken, doomed.clusterToken]) {
      expect((await app.answer(token, '{ viewer { __typename } }')).status).toBe(401)
    }
    expect((await mutate(app, app.operator, 'deleteTenant', { id: doomed.tenantId })).__typename).toBe('NotFoundError')
  })
})
