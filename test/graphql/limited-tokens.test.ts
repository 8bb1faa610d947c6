import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { schema } from '../../src/graphql/schema.ts'
import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { send } from '../support/multipart.ts'
import { argumentsFor, operationFor, pageOf, rootFields, selectInParts, takesId } from '../support/schema-walk.ts'
import { openStream } from '../support/streams.ts'
import { createNode, createWorld, type World } from '../support/world.ts'

const neverAnswered = /GRAPHQL_(PARSE|VALIDATION)_FAILED|QUERY_TOO|INTERNAL_SERVER_ERROR/
const fields = rootFields(schema)

describe.each(engines)('access tokens that are limited to clusters on %s', (engine) => {
  let app: TestApp
  let server: Listening
  let world: World
  let foreign: World
  let sister: { clusterId: string; nodeId: string }
  let token: string
  let untouched: string
  beforeAll(async () => {
    app = await startApp(engine)
    server = await listen(app.app, { host: '127.0.0.1', port: 0 })
    world = await createWorld(app, 'ours', randomUUID())
    foreign = await createWorld(app, 'foreign', randomUUID())
    const clusterId = await createCluster('sister-cluster')
    const node = await createNode(app, world.admin, { clusterId, name: 'sister-node', routes: ['192.168.9.0/24'] })
    sister = { clusterId, nodeId: node.id }
    token = (await make(world.admin, [world.clusterId])).token ?? ''
    untouched = await sisterRows()
  })
  afterAll(async () => {
    await server.close()
    await app.close()
  })

  async function createCluster(name: string): Promise<string> {
    const mutation = `mutation ($name: String!) { createCluster(input: { name: $name }) {
      ... on CreateClusterPayload { cluster { id } } } }`
    const made = await app.ask<{ createCluster: { cluster: { id: string } } }>(world.admin, mutation, { name })
    return made.createCluster.cluster.id
  }

  async function make(caller: string, clusterIds: readonly string[], more: object = {}) {
    const mutation = `mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
      __typename ... on CreateAccessTokenPayload { token credential { id clusterIds } } } }`
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    const input = { name: 'script', role: 'ADMIN', expiresAt, clusterIds, ...more }
    type Made = { createAccessToken: { __typename: string; token?: string; credential?: { id: string } } }
    return (await app.ask<Made>(caller, mutation, { input })).createAccessToken
  }

  async function sisterRows() {
    const { client } = app.database
    const { clusterId } = sister
    return JSON.stringify([
      await client.cluster.findMany({ where: { id: clusterId } }),
      await client.node.findMany({ where: { clusterId } }),
      await client.tenant.findMany({ where: { id: world.tenantId } }),
      await client.credential.count({ where: { kind: 'access_token' } }),
    ])
  }

  const clusters = async (caller: string) => {
    const { clusters: found } = await app.ask<{ clusters: { nodes: { id: string }[] } }>(
      caller,
      '{ clusters { nodes { id } } }',
    )
    return found.nodes.map(({ id }) => id)
  }

  test.each(
    fields.filter(({ field }) => field.args.some(takesId)).map(({ kind, field }) => [kind, field.name, field] as const),
  )('%s %s: a sister cluster is one that does not exist', async (kind, _name, field) => {
    const ask = async (id: string) => {
      const args = argumentsFor(field, () => id)
      const answers = []
      for (const selection of selectInParts(field.type, 2, () => id)) {
        const { status, text } = await send(app, token, operationFor(kind, field, args, selection), args)
        answers.push({ status, answer: text.replaceAll(id, '<id>') })
      }
      return answers
    }
    const missing = await ask(randomUUID())
    for (const { answer } of missing) expect(answer).not.toMatch(neverAnswered)
    for (const id of [sister.clusterId, sister.nodeId]) expect(await ask(id)).toEqual(missing)
    if (kind === 'mutation') expect(await sisterRows()).toBe(untouched)
  })

  test.each(fields.filter(({ kind }) => kind === 'query').map(({ kind, field }) => [field.name, kind, field] as const))(
    '%s: no edge leads to a sister cluster',
    async (name, kind, field) => {
      const isNamed = field.args.some(({ type }) => String(type).endsWith('!'))
      for (const id of isNamed ? [world.tenantId, world.clusterId, world.nodeId] : [world.clusterId]) {
        const args = isNamed ? argumentsFor(field, () => id) : pageOf(field)
        for (const selection of selectInParts(field.type, 2, () => sister.nodeId)) {
          const { text } = await send(app, token, operationFor(kind, field, args, selection), args)
          expect(text).not.toMatch(neverAnswered)
          expect(text).not.toContain('sister-')
          // The trail of this cluster may name ids that its own callers typed.
          if (name !== 'auditEvents') expect(text).not.toContain(sister.clusterId)
        }
      }
    },
  )

  test('its holder sees and changes its own clusters', async () => {
    expect(await clusters(token)).toEqual([world.clusterId])
    const node = await createNode(app, token, { clusterId: world.clusterId, name: 'made-by-a-limited-token' })
    const { nodes } = await app.ask<{ nodes: { nodes: { id: string }[] } }>(token, '{ nodes { nodes { id } } }')
    expect(nodes.nodes.map(({ id }) => id).sort()).toEqual([world.nodeId, world.adminNodeId, node.id].sort())
  })

  test('clusters of another tenant, and none at all, are refused', async () => {
    expect(await make(world.admin, [foreign.clusterId])).toEqual({ __typename: 'NotFoundError' })
    expect(await make(world.admin, [randomUUID()])).toEqual({ __typename: 'NotFoundError' })
    expect(await make(world.admin, [])).toEqual({ __typename: 'ValidationError' })
    expect(await make(app.operator, [world.clusterId], { role: 'OPERATOR' })).toEqual({ __typename: 'ValidationError' })
  })

  test('the fleet’s stream of a limited token has no news of a sister cluster', async () => {
    const query = `subscription ($id: UUID!) { fleetChanged(tenantId: $id) { __typename
      ... on FleetFiguresChanged { figures { clusterId } } } }`
    const all = await openStream(server.url, world.admin, { query, variables: { id: world.tenantId } })
    const limited = await openStream(server.url, token, { query, variables: { id: world.tenantId } })
    for (const stream of [all, limited]) await stream.next()
    await createNode(app, world.admin, { clusterId: sister.clusterId, name: 'sister-second' })
    expect(JSON.stringify(await all.next())).toContain(sister.clusterId)
    await createNode(app, world.admin, { clusterId: world.clusterId, name: 'ours-second' })
    expect(JSON.stringify(await limited.next())).toContain(world.clusterId)
    for (const stream of [all, limited]) await stream.close()
  })

  test.each([
    ['createCluster', 'mutation { createCluster(input: { name: "another" }) { __typename } }'],
    [
      'createAccessToken',
      `mutation ($id: UUID!, $at: DateTimeISO!) { createAccessToken(input: {
        name: "more", role: VIEWER, expiresAt: $at, clusterIds: [$id] }) { __typename } }`,
    ],
    ['rotateAccessToken', 'mutation ($id: UUID!) { rotateAccessToken(input: { id: $id }) { __typename } }'],
  ])('%s is for those who have the whole tenant', async (_name, mutation) => {
    const variables = { id: world.clusterId, at: new Date(Date.now() + 60_000).toISOString() }
    const { data, errors } = await app.answer(token, mutation, variables)
    expect(data).toBeNull()
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  })

  test('`viewer` shows the clusters, and null to who has the whole tenant', async () => {
    const query = '{ viewer { ... on TenantAdmin { clusterIds } } }'
    expect(await app.ask(token, query)).toEqual({ viewer: { clusterIds: [world.clusterId] } })
    expect(await app.ask(world.admin, query)).toEqual({ viewer: { clusterIds: null } })
  })

  test('an archive of a sister cluster is refused like one that does not exist', async () => {
    const { client } = app.database
    const { tenantId } = world
    const row = { version: 1000, tenantId, clusterId: sister.clusterId, data: Buffer.from('sister-bundle') }
    await client.configBundle.create({ data: { ...row, sha256: '0'.repeat(64), size: 13 } })
    const download = async (clusterId: string, version = 1000) => {
      const path = `/clusters/${clusterId}/bundles/${version}`
      const response = await app.fetch(path, { headers: { authorization: `Bearer ${token}` } })
      return { status: response.status, body: (await response.text()).replaceAll(clusterId, '<id>') }
    }
    expect(await download(world.clusterId)).toEqual({ status: 200, body: 'ours-bundle' })
    const missing = await download(randomUUID())
    expect(missing.status).toBe(404)
    expect(await download(sister.clusterId)).toEqual(missing)
    expect(await download(sister.clusterId, 1001)).toEqual(missing)
  })

  describe('an open stream ends', () => {
    const query = 'subscription ($id: UUID!) { fleetChanged(tenantId: $id) { __typename } }'
    const open = async (clusterIds: readonly string[]) => {
      const { token: made = '', credential } = await make(world.admin, clusterIds)
      const stream = await openStream(server.url, made, { query, variables: { id: world.tenantId } })
      expect(await stream.next()).toMatchObject({ __typename: expect.any(String) })
      return { id: credential?.id ?? '', stream }
    }
    /** What follows on the news that came before. */
    const endOf = async (stream: Awaited<ReturnType<typeof open>>['stream']) => {
      let told = await stream.next()
      while (typeof told === 'object') told = await stream.next()
      return told
    }

    test('at once when its limited token is revoked', async () => {
      const { id, stream } = await open([world.clusterId])
      const revoke = 'mutation ($id: UUID!) { revokeCredential(input: { id: $id }) { __typename } }'
      await app.ask(world.admin, revoke, { id })
      expect(await endOf(stream)).toBe('complete')
    })

    test('with the next event when its token has other clusters', async () => {
      const { id, stream } = await open([world.clusterId, sister.clusterId])
      const data = { clusterIds: [world.clusterId] }
      await app.database.client.credential.update({ where: { id }, data })
      await createNode(app, world.admin, { clusterId: world.clusterId, name: 'news-of-ours' })
      expect(await endOf(stream)).toBe('complete')
    })
  })

  test('a deleted cluster leaves the others, and when all are gone nothing is seen', async () => {
    const [first, second] = [await createCluster('first'), await createCluster('second')]
    const made = (await make(world.admin, [first, second])).token ?? ''
    expect((await clusters(made)).sort()).toEqual([first, second].sort())
    await app.database.client.cluster.delete({ where: { id: first } })
    expect(await clusters(made)).toEqual([second])
    await app.database.client.cluster.delete({ where: { id: second } })
    expect(await clusters(made)).toEqual([])
    expect(await app.ask(made, '{ nodes { totalCount } }')).toEqual({ nodes: { totalCount: 0 } })
  })
})
