import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { apiScopes, includesScope, type ApiScope } from '../../src/auth/api-scopes.ts'
import { schema } from '../../src/graphql/schema.ts'
import { fieldScopes } from '../../src/graphql/scopes/field-scopes.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { send } from '../support/multipart.ts'
import { argumentsFor, operationFor, rootFields, selectAll } from '../support/schema-walk.ts'
import { createWorld, type World } from '../support/world.ts'

/** Scopes without one of them: without what includes it, too. */
const without = (scope: ApiScope) => apiScopes.filter((one) => !includesScope([one], scope))

describe('access tokens that are limited to scopes', () => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp('sqlite')
    world = await createWorld(app, 'world', randomUUID())
  })
  afterAll(() => app.close())

  // The same for all: a token makes none that ends after itself.
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
  const make = async (caller: string, scopes: readonly string[] | null, more: object = { role: 'ADMIN' }) => {
    const mutation = `mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
      ... on CreateAccessTokenPayload { token credential { scopes } } ... on Error { message } } }`
    const input = { name: 'script', expiresAt, scopes, ...more }
    const { createAccessToken } = await app.ask<{
      createAccessToken: { token?: string; credential?: object; message?: string }
    }>(caller, mutation, { input })
    return createAccessToken
  }
  const tokenOf = async (caller: string, scopes: readonly string[], more?: object) => {
    const { token, message } = await make(caller, scopes, more)
    if (token === undefined) throw new Error(`no token was made: ${message}`)
    return token
  }

  test.each(rootFields(schema).map(({ kind, field }) => [field.name, kind, field] as const))(
    '%s needs each of its scopes',
    async (name, kind, field) => {
      const needed = fieldScopes[name] ?? []
      const action = kind === 'mutation' ? 'write' : 'read'
      expect(needed.every((scope) => scope.endsWith(`:${action}`))).toBe(true)
      const args = argumentsFor(field, () => randomUUID())
      const selection = selectAll(field.type, 0, () => randomUUID())
      for (const scope of needed) {
        const token = await tokenOf(app.operator, without(scope), { role: 'OPERATOR' })
        const { text } = await send(app, token, operationFor(kind, field, args, selection), args)
        expect({ scope, text }).toEqual({ scope, text: expect.stringContaining('"FORBIDDEN"') })
      }
    },
  )

  const codeOf = async (token: string, query: string, variables: object = {}) => {
    const { errors } = await app.answer(token, query, { id: world.clusterId, ...variables })
    return errors?.[0]?.extensions?.code ?? 'OK'
  }

  test('a token reads what its scopes say, and an edge leads no further than a root field', async () => {
    const clusters = await tokenOf(world.admin, ['clusters:read'])
    const cluster = (selection: string) => `query ($id: UUID!) { cluster(id: $id) { ${selection} } }`
    expect(await codeOf(clusters, cluster('name'))).toBe('OK')
    for (const edge of [
      'nodes { totalCount }',
      'nodes { nodes { name } }',
      'tenant { name }',
      'bundles { totalCount }',
      '...F } } fragment F on Cluster { nodes { edges { cursor }',
    ]) {
      expect({ edge, code: await codeOf(clusters, cluster(edge)) }).toEqual({ edge, code: 'FORBIDDEN' })
      const all = await tokenOf(world.admin, ['clusters:read', 'nodes:write', 'tenants:read', 'bundles:read'])
      expect({ edge, code: await codeOf(all, cluster(edge)) }).toEqual({ edge, code: 'OK' })
    }
    expect(await codeOf(clusters, '{ viewer { __typename } }', { id: undefined })).toBe('OK')
  })

  test('scopes narrow the role, and give nothing that it may not', async () => {
    const token = await tokenOf(world.admin, ['nodes:write'], { role: 'VIEWER' })
    const mutation = 'mutation ($id: UUID!) { deleteNode(input: { nodeId: $id }) { __typename } }'
    expect(await codeOf(token, mutation, { id: world.nodeId })).toBe('FORBIDDEN')
  })

  test('an admin node, whose token knows no scopes, is made with credentials:write only', async () => {
    const create = (isAdmin: boolean) =>
      `mutation ($id: UUID!) { createNode(input: { clusterId: $id, name: "${randomUUID()}", isAdmin: ${isAdmin} }) { __typename } }`
    const nodes = await tokenOf(world.admin, ['nodes:write'])
    expect(await codeOf(nodes, create(false))).toBe('OK')
    expect(await codeOf(nodes, create(true))).toBe('FORBIDDEN')
    expect(await codeOf(await tokenOf(world.admin, ['nodes:write', 'credentials:write']), create(true))).toBe('OK')
  })

  test('an archive is downloaded with bundles:read only', async () => {
    const download = async (scopes: readonly string[]) => {
      const headers = { authorization: `Bearer ${await tokenOf(world.admin, scopes)}` }
      return (await app.fetch(`/clusters/${world.clusterId}/bundles/1000`, { headers })).status
    }
    expect(await download(['nodes:write', 'clusters:write'])).toBe(403)
    expect(await download(['bundles:read'])).toBe(200)
  })

  test('a token makes none with more scopes than its own', async () => {
    const maker = await tokenOf(world.admin, ['credentials:write', 'nodes:write'])
    expect(await make(maker, ['nodes:read'])).toMatchObject({ credential: { scopes: ['nodes:read'] } })
    expect(await make(maker, ['clusters:read'])).toEqual({ message: expect.stringMatching(/among those/) })
    expect(await make(maker, null)).toEqual({ message: expect.stringMatching(/among those/) })
    expect(await make(world.admin, [])).not.toHaveProperty('token')
    expect(await make(world.admin, ['nodes:eat'])).not.toHaveProperty('token')
  })
})
