import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { groupRules, type GroupRule } from '../../../src/auth/group-rules.ts'
import { listen, type Listening } from '../../../src/http/server/server.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { newKey, signAs, startProvider, type Provider, type ProviderKey } from '../../support/provider.ts'
import { openStream } from '../../support/streams.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const nobody = { status: 401, viewer: null }
const everybodysClaims = { audience: 'orrery-app', jwksUrl: null, roleClaim: 'role', tenantClaim: 'org' }

describe.each(engines)('people whose rights come from their groups, on %s', (engine) => {
  let app: TestApp
  let server: Listening
  let provider: Provider
  let key: ProviderKey
  let ours: World
  let theirs: World
  let sisterId: string
  beforeAll(async () => {
    provider = await startProvider()
    key = await newKey('ES256', 'first')
    provider.keys = [key]
    const rules: GroupRule[] = []
    const { issuer } = provider
    app = await startApp(engine, {
      identityProvider: { issuer, ...everybodysClaims, groupsClaim: 'https://example.com/groups', rules },
    })
    server = await listen(app.app, { host: '127.0.0.1', port: 0 })
    ours = await createWorld(app, 'ours', randomUUID())
    theirs = await createWorld(app, 'theirs', randomUUID())
    const mutation = `mutation { createCluster(input: { name: "sister-cluster" }) {
      ... on CreateClusterPayload { cluster { id } } } }`
    const made = await app.ask<{ createCluster: { cluster: { id: string } } }>(ours.admin, mutation)
    sisterId = made.createCluster.cluster.id
    const { tenantId: tenant, clusterId } = ours
    const configured = [
      { group: 'netops', role: 'operator' },
      ...['admin', 'editor', 'viewer', 'auditor'].map((role) => ({ group: `/acme/${role}s`, role, tenant })),
      { group: 'local', role: 'admin', tenant: tenant.toUpperCase(), clusters: [clusterId] },
      { group: 'both', role: 'viewer', tenant, clusters: [sisterId, clusterId, sisterId] },
      { group: 'a-missing-cluster', role: 'admin', tenant, clusters: [randomUUID()] },
      { group: 'a-foreign-cluster', role: 'admin', tenant, clusters: [theirs.clusterId] },
      { group: 'a-missing-tenant', role: 'admin', tenant: randomUUID() },
      { group: 'last', role: 'admin', tenant },
    ]
    rules.push(...groupRules.parse(JSON.stringify(configured)))
  })
  afterAll(async () => {
    await server.close()
    await app.close()
    await provider.close()
  })

  const holder = (groups: unknown, more: object = {}) => {
    const exp = Math.floor(Date.now() / 1000) + 60
    const claims = { iss: provider.issuer, aud: 'orrery-app', sub: 'uma', exp }
    return signAs(key, { ...claims, 'https://example.com/groups': groups, ...more })
  }
  const viewer = async (token: string) => {
    const query = `{ viewer { __typename ... on Operator { subject }
      ... on TenantAdmin { subject role clusterIds tenant { id } } } }`
    const { status, data } = await app.answer(token, query)
    return { status, viewer: data?.['viewer'] ?? null }
  }
  const whoIs = async (groups: unknown, more: object = {}) => viewer(await holder(groups, more))
  const inOurs = (role: string, clusterIds: readonly string[] | null = null) => ({
    status: 200,
    viewer: { __typename: 'TenantAdmin', subject: 'uma', role, clusterIds, tenant: { id: ours.tenantId } },
  })
  const operator = { status: 200, viewer: { __typename: 'Operator', subject: 'uma' } }
  const clustersOf = async (token: string) => {
    const query = '{ clusters { nodes { id } } }'
    const { clusters } = await app.ask<{ clusters: { nodes: { id: string }[] } }>(token, query)
    return clusters.nodes.map(({ id }) => id).sort()
  }

  test('each role is its group’s, whole or limited to clusters, and `viewer` shows it', async () => {
    expect(await whoIs(['netops'])).toEqual(operator)
    for (const role of ['admin', 'editor', 'viewer', 'auditor']) {
      expect(await whoIs([`/acme/${role}s`])).toEqual(inOurs(role.toUpperCase()))
    }
    expect(await whoIs(['local'])).toEqual(inOurs('ADMIN', [ours.clusterId]))
    expect(await whoIs(['both'])).toEqual(inOurs('VIEWER', [sisterId, ours.clusterId]))
  })

  test('the first rule of the list decides alone, whatever the order of the groups', async () => {
    for (const groups of [
      ['last', 'local', '/acme/viewers', 'unknown'],
      ['/acme/viewers', 'last', 'local'],
    ]) {
      expect(await whoIs(groups)).toEqual(inOurs('VIEWER'))
    }
    expect(await whoIs(['last', 'local'])).toEqual(inOurs('ADMIN', [ours.clusterId]))
    expect(await whoIs(['a-missing-tenant', 'last'])).toEqual(nobody)
  })

  test('one text is one group', async () => {
    expect(await whoIs('netops')).toEqual(operator)
    expect(await whoIs('netops,last')).toEqual(nobody)
    expect(await whoIs('netops last')).toEqual(nobody)
  })

  test.each([
    ['no groups', undefined],
    ['an empty list', []],
    ['groups without a rule', ['unknown', 'Netops', 'netops ', 'netop']],
    ['null', null],
    ['a list in a list', [['netops']]],
    ['an object', { netops: true, 0: 'netops', length: 1 }],
    ['numbers', [0, 1]],
    ['names that every object has', ['constructor', '__proto__', 'length']],
  ])('whose groups are %s is nobody', async (_name, groups) => {
    expect(await whoIs(groups)).toEqual(nobody)
  })

  test('the claims that say role and tenant where there are no rules say nothing', async () => {
    const claimed = { role: 'operator', org: theirs.tenantId, orrery_role: 'operator', groups: ['netops'] }
    expect(await whoIs(undefined, claimed)).toEqual(nobody)
    expect(await whoIs(['/acme/viewers'], claimed)).toEqual(inOurs('VIEWER'))
  })

  test('a token that another key signed is in no group', async () => {
    const other = await newKey('ES256', 'first')
    const exp = Math.floor(Date.now() / 1000) + 60
    const claims = { iss: provider.issuer, aud: 'orrery-app', sub: 'uma', exp }
    expect(await viewer(await signAs(other, { ...claims, 'https://example.com/groups': ['netops'] }))).toEqual(nobody)
  })

  test('Orrery’s own JWTs name role and tenant as ever', async () => {
    expect(await viewer(app.operator)).toEqual({ status: 200, viewer: { __typename: 'Operator', subject: 'olga' } })
    expect(await viewer(ours.viewer)).toMatchObject({ viewer: { role: 'VIEWER', clusterIds: null } })
  })

  test('a person of some clusters sees and changes them, and finds no other', async () => {
    const token = await holder(['local'])
    expect(await clustersOf(token)).toEqual([ours.clusterId])
    expect(await clustersOf(await holder(['both']))).toEqual([ours.clusterId, sisterId].sort())
    await createNode(app, token, { clusterId: ours.clusterId, name: 'made-by-a-person-of-a-group' })
    const query = 'query ($id: UUID!) { cluster(id: $id) { name } }'
    for (const id of [sisterId, theirs.clusterId, randomUUID()]) {
      expect(await app.ask(token, query, { id })).toEqual({ cluster: null })
    }
    const create = 'mutation { createCluster(input: { name: "another" }) { __typename } }'
    expect(await app.answer(token, create)).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
    const lists = '{ clusters { totalCount } nodes { totalCount } auditEvents { totalCount } }'
    for (const groups of [['a-missing-cluster'], ['a-foreign-cluster']]) {
      expect(await app.ask(await holder(groups), lists)).toEqual({
        clusters: { totalCount: 0 },
        nodes: { totalCount: 0 },
        auditEvents: { totalCount: 0 },
      })
    }
  })

  test('the fleet’s stream of a person of one cluster tells of that cluster alone', async () => {
    const query = `subscription ($id: UUID!) { fleetChanged(tenantId: $id) { __typename
      ... on FleetFiguresChanged { figures { clusterId } } } }`
    const stream = await openStream(server.url, await holder(['local']), { query, variables: { id: ours.tenantId } })
    await stream.next()
    await createNode(app, ours.admin, { clusterId: sisterId, name: 'sister-node' })
    await createNode(app, ours.admin, { clusterId: ours.clusterId, name: 'second-node' })
    const event = JSON.stringify(await stream.next())
    expect(event).toContain(ours.clusterId)
    expect(event).not.toContain(sisterId)
    await stream.close()
  })
})
