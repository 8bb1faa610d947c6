import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate, refusedWith } from '../../support/mutate.ts'
import { createWorld, type World } from '../../support/world.ts'

interface ClusterPayload {
  readonly cluster: Record<string, unknown> & { readonly id: string; readonly configVersion: number }
  readonly token?: string
}

describe.each(engines)('clusters on %s', (engine) => {
  let app: TestApp
  let world: World
  let strangers: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'world', randomUUID())
    strangers = await createWorld(app, 'strangers', randomUUID())
  })
  afterAll(() => app.close())

  const payload = 'cluster { id name configVersion networkCidr lighthousePort provideLighthouse tenant { id } }'
  const create = (token: string, input: object) =>
    mutate<ClusterPayload>(app, token, 'createCluster', input, `${payload} token`)

  test('a new one has the defaults, and a token that is shown this once', async () => {
    const { cluster, token } = await create(world.admin, { name: 'defaults' })
    expect(cluster).toMatchObject({
      configVersion: 1,
      networkCidr: '10.42.0.0/16',
      lighthousePort: 4242,
      provideLighthouse: false,
      tenant: { id: world.tenantId },
    })
    expect(token).toMatch(/^orc_[\w-]{43}$/)
    const stored = await app.database.client.cluster.findUniqueOrThrow({ where: { id: cluster.id } })
    expect(JSON.stringify(stored)).not.toContain(token)
  })

  test('an operator says whose it is; nobody creates one for another tenant', async () => {
    const { cluster } = await create(app.operator, { name: 'by-operator', tenantId: world.tenantId })
    expect(cluster['tenant']).toEqual({ id: world.tenantId })
    expect(await create(app.operator, { name: 'nobody’s' })).toMatchObject({
      issues: [{ path: ['input', 'tenantId'], message: 'operators must say whose the cluster is' }],
    })
    for (const tenantId of [strangers.tenantId, randomUUID()]) {
      expect(await create(world.admin, { name: 'theirs', tenantId })).toEqual({
        __typename: 'NotFoundError',
        message: 'Tenant not found',
      })
    }
  })

  test('a name is given once in a tenant, and again in another', async () => {
    await create(world.admin, { name: 'twice' })
    expect((await create(world.admin, { name: 'twice' })).__typename).toBe('ConflictError')
    expect((await create(strangers.admin, { name: 'twice' })).__typename).toBe('CreateClusterPayload')
  })

  test.each([
    ['10.42.0.1/16', 'must be a network in CIDR notation without host bits, such as 10.42.0.0/16'],
    ['fd00::/64', 'must be an IPv4 network'],
    ['127.0.0.0/8', 'must not be within 127.0.0.0/8, which is every machine’s own'],
    ['169.254.8.0/24', 'must not be within 169.254.0.0/16, which is for one link only'],
    ['0.0.0.0/8', 'must not be within 0.0.0.0/8, which stands for “this network”'],
    ['224.1.0.0/16', 'must not be within 224.0.0.0/4, which is for multicast'],
    ['255.0.0.0/8', 'must not be within 240.0.0.0/4, which is reserved'],
    ['10.42.0.0/31', 'must have a prefix length of 8 to 30'],
    ['0.0.0.0/0', 'must have a prefix length of 8 to 30'],
  ])('the network %s is refused: %s', async (networkCidr, message) => {
    expect(await create(world.admin, { name: 'network', networkCidr })).toMatchObject({
      issues: [{ path: ['input', 'networkCidr'], message }],
    })
  })

  test.each([
    ['networkCidr', '10.42.0.0'],
    ['networkCidr', '10.42/16'],
    ['lighthousePort', 0],
    ['lighthousePort', 65_536],
    ['tenantId', 'x'],
  ])('%s: %j is malformed', async (field, value) => {
    expect(await refusedWith(app, world.admin, 'createCluster', { name: 'malformed', [field]: value })).toBe(
      'BAD_USER_INPUT',
    )
  })

  test('everything that is wrong is said at once', async () => {
    const { issues } = await create(world.admin, { name: '', networkCidr: '10.42.0.1/16' })
    expect(issues?.map(({ path }) => path.join('.'))).toEqual(['input.name', 'input.networkCidr'])
  })

  test('the lighthouse is set field by field', async () => {
    const { cluster } = await create(world.admin, { name: 'lighthouse' })
    const set = (input: object) =>
      mutate<ClusterPayload>(app, world.admin, 'updateClusterLighthouse', { clusterId: cluster.id, ...input }, payload)
    expect((await set({ lighthousePort: 4300 })).cluster).toMatchObject({
      lighthousePort: 4300,
      provideLighthouse: false,
    })
    expect((await set({ provideLighthouse: true })).cluster).toMatchObject({
      lighthousePort: 4300,
      provideLighthouse: true,
      configVersion: 3,
    })
  })

  const firewallOf =
    'cluster { configVersion firewall { inbound { port proto host group groups cidr } outbound { port } } }'
  const setFirewall = (inbound: readonly object[]) =>
    mutate<ClusterPayload>(
      app,
      world.admin,
      'updateClusterFirewall',
      { clusterId: world.clusterId, firewall: { inbound, outbound: [] } },
      firewallOf,
    )

  test('the firewall is replaced whole', async () => {
    const { cluster } = await setFirewall([
      { port: '443', proto: 'TCP', groups: ['web', 'admins'] },
      { port: 'any', proto: 'ICMP', cidr: '10.42.0.0/24' },
    ])
    expect(cluster['firewall']).toEqual({
      inbound: [
        { port: '443', proto: 'TCP', host: null, group: null, groups: ['web', 'admins'], cidr: null },
        { port: 'any', proto: 'ICMP', host: null, group: null, groups: null, cidr: '10.42.0.0/24' },
      ],
      outbound: [],
    })
  })

  test.each([
    [{ port: '99999999', proto: 'TCP', host: 'any' }, 'port', /port \(1 to 65535\)/],
    [{ port: '300-200', proto: 'TCP', host: 'any' }, 'port', /range such as 200-300/],
    [{ port: '80', proto: 'TCP' }, '', /must say whom it is for/],
    [{ port: '80', proto: 'TCP', group: 'a', groups: ['b'] }, '', /takes one of host, group, groups and cidr/],
    [{ port: '80', proto: 'TCP', host: 'b', group: 'ops' }, '', /Nebula lets in whoever meets any of them/],
    [{ port: '80', proto: 'TCP', host: 'any', cidr: '10.0.0.0/8' }, '', /write a rule for each/],
    [{ port: '80', proto: 'TCP', groups: ['ops'], cidr: '10.0.0.0/8' }, '', /takes one of/],
    [{ port: '80', proto: 'TCP', groups: ['any', 'ops'] }, '', /"any" among its groups, which to Nebula is everybody/],
    [{ port: '80', proto: 'TCP', cidr: '10.0.0.1/8' }, 'cidr', /without host bits/],
    [{ port: '80', proto: 'TCP', caSha: 'abc' }, 'caSha', /64 hex digits/],
    [{ port: '80', proto: 'TCP', caName: 'a', caSha: 'ab'.repeat(32) }, '', /takes one of caName and caSha/],
    [{ port: '80', proto: 'TCP', cidr: '0.0.0.0/8' }, 'cidr', /Nebula before 1.11 takes for every address/],
    [{ port: '80', proto: 'TCP', cidr: 'fd00::/8' }, 'cidr', /must be a network of IPv4/],
    [{ port: '80', proto: 'TCP', host: 'any', localCidr: '0.0.0.0/1' }, 'localCidr', /has 0.0.0.0 in it/],
    [{ port: '80', proto: 'ICMP', host: 'any' }, 'port', /ICMP has no ports/],
  ])('the firewall rule %j is refused', async (rule, field, message) => {
    const { __typename, issues } = await setFirewall([rule])
    expect(__typename).toBe('ValidationError')
    const path = ['input', 'firewall', 'inbound', '0', ...(field === '' ? [] : [field])]
    expect(issues?.[0]).toEqual({ path, message: expect.stringMatching(message) })
  })

  test('a rotated cluster token ends with the next request; the nodes keep theirs', async () => {
    const { cluster, token: old = '' } = await create(world.admin, { name: 'rotating' })
    expect((await app.answer(old, '{ viewer { __typename } }')).status).toBe(200)
    const { token } = await mutate<{ token: string }>(
      app,
      world.admin,
      'rotateClusterToken',
      { clusterId: cluster.id },
      'token',
    )
    expect((await app.answer(old, '{ viewer { __typename } }')).status).toBe(401)
    expect((await app.answer(token, '{ viewer { __typename } }')).status).toBe(200)
  })

  test('an enrolling machine sees what it needs, and nothing else', async () => {
    const { viewer } = await app.ask<{ viewer: unknown }>(
      world.clusterToken,
      '{ viewer { __typename ... on EnrollingMachine { clusterId clusterName networkCidr caCertificate } } }',
    )
    expect(viewer).toEqual({
      __typename: 'EnrollingMachine',
      clusterId: world.clusterId,
      clusterName: 'world-cluster',
      networkCidr: '10.42.0.0/16',
      caCertificate: expect.stringMatching(/^-----BEGIN NEBULA CERTIFICATE-----\n/),
    })
  })

  test('a viewer reads', async () => {
    const query = 'query ($id: UUID!) { cluster(id: $id) { name } }'
    const { cluster } = await app.ask<{ cluster: unknown }>(world.viewer, query, { id: world.clusterId })
    expect(cluster).toEqual({ name: 'world-cluster' })
  })

  test('an admin node manages its own cluster’s versions and token, and no other cluster’s', async () => {
    for (const mutation of ['publishClusterConfig', 'rotateClusterToken']) {
      const own = await mutate(app, world.adminNodeToken, mutation, { clusterId: world.clusterId })
      expect(own.__typename).toMatch(/Payload$/)
      const { cluster: sibling } = await create(world.admin, { name: `sibling of ${mutation}` })
      for (const clusterId of [sibling.id, strangers.clusterId, randomUUID()]) {
        expect((await mutate(app, world.adminNodeToken, mutation, { clusterId })).__typename).toBe('NotFoundError')
      }
    }
  })

  test('deleting one takes its nodes and bundles along, and ends their tokens', async () => {
    const doomed = await createWorld(app, 'doomed', randomUUID())
    await mutate(app, doomed.admin, 'deleteCluster', { clusterId: doomed.clusterId })
    expect(await app.database.client.node.count({ where: { clusterId: doomed.clusterId } })).toBe(0)
    expect(await app.database.client.configBundle.count({ where: { clusterId: doomed.clusterId } })).toBe(0)
    expect((await app.answer(doomed.nodeToken, '{ viewer { __typename } }')).status).toBe(401)
    const again = await mutate(app, doomed.admin, 'deleteCluster', { clusterId: doomed.clusterId })
    expect(again.__typename).toBe('NotFoundError')
  })
})
