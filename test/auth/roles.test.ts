import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { tenantRoles, type TenantRole } from '../../src/auth/session.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createWorld, type World } from '../support/world.ts'

// Who may call which field is in docs/operations.md, which test/graphql/operations.test.ts compares for every role.
// Here is what depends on the input, and how a role is given.
describe('roles of a tenant', () => {
  let app: TestApp
  let world: World
  let editor: string
  beforeAll(async () => {
    app = await startApp('sqlite')
    world = await createWorld(app, 'world', randomUUID())
    editor = await app.tenantToken(world.tenantId, 'editor')
  })
  afterAll(() => app.close())

  const createNode = async (token: string, isAdmin: boolean) => {
    const input = { clusterId: world.clusterId, name: randomUUID(), isAdmin }
    const mutation = `mutation ($input: CreateNodeInput!) { createNode(input: $input) {
      __typename ... on Error { message } } }`
    const { data, errors } = await app.answer(token, mutation, { input })
    return errors?.[0]?.extensions?.code ?? data?.['createNode']
  }

  test('an editor creates nodes, but no admin node, whose token may do more than an editor', async () => {
    expect(await createNode(editor, false)).toEqual({ __typename: 'CreateNodePayload' })
    expect(await createNode(editor, true)).toBe('FORBIDDEN')
    expect(await createNode(world.admin, true)).toEqual({ __typename: 'CreateNodePayload' })
  })

  test('an editor may take all traffic to a node, which a node may not decide for itself', async () => {
    const input = { nodeId: world.nodeId, routes: ['0.0.0.0/0'], allowDefaultRoute: true, dryRun: true }
    const mutation = `mutation ($input: UpdateNodeRoutesInput!) { updateNodeRoutes(input: $input) { __typename } }`
    const data = { updateNodeRoutes: { __typename: 'UpdateNodeRoutesPayload' } }
    expect(await app.answer(editor, mutation, { input })).toMatchObject({ data })
    expect(await app.answer(world.nodeToken, mutation, { input })).not.toMatchObject({ data })
  })

  test.each(tenantRoles)('the role %s is given by a JWT and by an access token alike', async (role: TenantRole) => {
    const mutation = `mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
      ... on CreateAccessTokenPayload { token credential { role } } ... on Error { message } } }`
    const named = role.toUpperCase()
    const input = { name: role, role: named, expiresAt: new Date(Date.now() + 3_600_000).toISOString() }
    const { createAccessToken: made } = await app.ask<{
      createAccessToken: { token: string; credential: { role: string } }
    }>(world.admin, mutation, { input })
    expect(made.credential.role).toBe(named)
    for (const token of [made.token, await app.tenantToken(world.tenantId, role)]) {
      const viewer = await app.ask(token, '{ viewer { ... on TenantAdmin { role tenant { id } } } }')
      expect(viewer).toEqual({ viewer: { role: named, tenant: { id: world.tenantId } } })
    }
  })
})
