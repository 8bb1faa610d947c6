import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isEnumType, isInputObjectType, isObjectType } from 'graphql'

import { schema } from '../../../src/graphql/schema.ts'
import { createCa, exportCaKey } from '../../../src/pki/ca.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { kindsOf, triedWarnings, warningsOf } from '../../support/warnings.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const day = 86_400_000
const lighthouse = { isLighthouse: true, lighthousePublicIp: '198.51.100.7' }

const typeOf = (mutation: string, kind: 'Input' | 'Payload') =>
  schema.getType(`${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}${kind}`)

/** The mutations that can be tried. */
const tried = Object.keys(schema.getMutationType()?.getFields() ?? {}).filter((name) => {
  const input = typeOf(name, 'Input')
  return isInputObjectType(input) && 'dryRun' in input.getFields()
})

test('there are mutations that can be tried', () => expect(tried.length).toBeGreaterThan(15))

test.each(tried)('%s can be tried, and so has warnings', (name) => {
  const payload = typeOf(name, 'Payload')
  // A change of many nodes has them for each cluster.
  const shown = isObjectType(payload) && 'clusters' in payload.getFields() ? schema.getType('NodesInCluster') : payload
  expect(isObjectType(shown) && String(shown.getFields()['warnings']?.type)).toBe('[ChangeWarning!]!')
})

test('a plan has them, and each code says what it means', () => {
  const plan = schema.getType('ChangePlan')
  expect(isObjectType(plan) && String(plan.getFields()['warnings']?.type)).toBe('[ChangeWarning!]!')
  const codes = schema.getType('ChangeWarningCode')
  const values = isEnumType(codes) ? codes.getValues() : []
  expect(values.length).toBeGreaterThan(20)
  for (const { name, description } of values) expect([name, description]).toEqual([name, expect.stringMatching(/\.$/)])
})

describe.each(engines)('what a change is warned of on %s', (engine) => {
  let app: TestApp
  let admin: string
  beforeAll(async () => {
    app = await startApp(engine)
    admin = (await createWorld(app, 'first', randomUUID())).admin
  })
  afterAll(() => app.close())

  const newWorld = (): Promise<World> => createWorld(app, randomUUID(), randomUUID())
  const cluster = async (input: object) =>
    kindsOf(await warningsOf(app, admin, 'createCluster', { name: randomUUID(), ...input }))
  const node = async ({ admin: token, clusterId }: World, input: object) =>
    kindsOf(await triedWarnings(app, token, 'createNode', { clusterId, name: randomUUID(), ...input }))
  const change = async ({ admin: token }: World, mutation: string, input: object) =>
    kindsOf(await triedWarnings(app, token, mutation, input))

  test.each([
    ['nothing', { networkCidr: '10.1.0.0/16' }, []],
    ['somebody else’s network', { networkCidr: '8.8.8.0/24' }, ['PUBLIC_NETWORK input.networkCidr']],
    ['a network that is private in part', { networkCidr: '172.0.0.0/8' }, ['PUBLIC_NETWORK input.networkCidr']],
    ['a network within another cluster’s', { networkCidr: '10.42.9.0/24' }, ['NETWORK_TWICE input.networkCidr']],
    ['a provider’s network', { networkCidr: '100.64.0.0/16' }, []],
    [
      'a lighthouse that nobody starts',
      { networkCidr: '10.2.0.0/16', provideLighthouse: true },
      ['WITHOUT_EFFECT input.provideLighthouse'],
    ],
    ['a CA that ends soon', { networkCidr: '10.3.0.0/16', caLifetimeDays: 30 }, ['CA_ENDS_SOON input.caLifetimeDays']],
    [
      'certificates that outlive the CA',
      { networkCidr: '10.4.0.0/16', caLifetimeDays: 90, certificateLifetimeDays: 365 },
      ['CERTIFICATES_OUTLIVE_CA input.certificateLifetimeDays'],
    ],
    [
      'a group named any',
      { networkCidr: '10.5.0.0/16', enrollGroups: ['a', 'any'] },
      ['MEANS_EVERYBODY input.enrollGroups.1'],
    ],
  ])('a new cluster: %s', async (_what, input, warnings) => {
    expect(await cluster(input)).toEqual(warnings)
  })

  test('of another tenant’s cluster with the same network nobody hears', async () => {
    const { admin: token } = await newWorld()
    const [warning, ...others] = await warningsOf(app, token, 'createCluster', { name: 'second' })
    expect(others).toEqual([])
    expect(warning?.message).toMatch(/^10\.42\.0\.0\/16 shares addresses with the network of "[-0-9a-f]{36}-cluster": /)
  })

  test('a second node without a lighthouse, and the last lighthouse that goes', async () => {
    const world = await newWorld()
    const { clusterId, nodeId } = world
    expect(await node(world, {})).toEqual(['NO_LIGHTHOUSE input.isLighthouse'])
    expect(await change(world, 'publishClusterConfig', { clusterId })).toEqual(['NO_LIGHTHOUSE input.clusterId'])
    expect(await change(world, 'updateClusterLighthouse', { clusterId, lighthousePort: 4343 })).toEqual([
      'NO_LIGHTHOUSE input.clusterId',
    ])
    expect(await change(world, 'updateNodeLighthouse', { nodeId, ...lighthouse })).toEqual([])
    expect(await node(world, {})).toEqual([])
    const { id } = await createNode(app, world.admin, { clusterId, name: 'other', ...lighthouse, lighthousePort: 5000 })
    expect(await change(world, 'deleteNode', { nodeId: id })).toEqual([])
    expect(await change(world, 'updateNodeLighthouse', { nodeId, isLighthouse: false })).toEqual([
      'NO_LIGHTHOUSE input.isLighthouse',
    ])
    await change(world, 'updateNodeLighthouse', { nodeId, ...lighthouse })
    // What was uploaded may name a lighthouse of its own: of it is said only that Orrery's last one is gone.
    await app.database.client.cluster.update({ where: { id: clusterId }, data: { sharedConfigVersion: 1000 } })
    const deleted = await warningsOf(app, world.admin, 'deleteNode', { nodeId })
    expect(deleted[0]?.message).toContain('unless the uploaded configuration names one')
    expect(kindsOf(await warningsOf(app, world.admin, 'createNode', { clusterId, name: 'next' }))).toEqual([])
  })

  test.each([
    ['an address of a site', { lighthousePublicIp: '192.168.7.7' }, ['LIGHTHOUSE_NOT_PUBLIC input.lighthousePublicIp']],
    ['IPv6', { lighthousePublicIp: '2001:db8::7' }, ['LIGHTHOUSE_IPV6 input.lighthousePublicIp']],
    ['the address of another one', lighthouse, ['LIGHTHOUSE_TWICE input.lighthousePublicIp']],
    ['the address of another one with another port', { ...lighthouse, lighthousePort: 4243 }, []],
    [
      'an address behind another node',
      { lighthousePublicIp: '192.168.1.9' },
      ['LIGHTHOUSE_NOT_PUBLIC input.lighthousePublicIp', 'LIGHTHOUSE_BEHIND_ROUTE input.lighthousePublicIp'],
    ],
  ])('a lighthouse with %s', async (_what, input, warnings) => {
    const world = await newWorld()
    await change(world, 'updateNodeLighthouse', { nodeId: world.adminNodeId, ...lighthouse })
    const settings = { isLighthouse: true, ...input }
    expect(await change(world, 'updateNodeLighthouse', { nodeId: world.nodeId, ...settings })).toEqual(warnings)
    await app.ask(world.admin, 'mutation ($id: UUID!) { deleteNode(input: { nodeId: $id }) { __typename } }', {
      id: world.nodeId,
    })
    // Its route went with it.
    const alone = warnings.filter((warning) => !warning.startsWith('LIGHTHOUSE_BEHIND_ROUTE'))
    expect(await node(world, settings)).toEqual(alone)
  })

  test('settings of a lighthouse on a node that is none, and a relay that nobody knows where to reach', async () => {
    const world = await newWorld()
    const { nodeId } = world
    await change(world, 'updateNodeLighthouse', { nodeId: world.adminNodeId, ...lighthouse })
    const settings = { nodeId, isLighthouse: false, lighthousePublicIp: '198.51.100.9', lighthousePort: 4300 }
    expect(await change(world, 'updateNodeLighthouse', settings)).toEqual([
      'WITHOUT_EFFECT input.lighthousePublicIp',
      'WITHOUT_EFFECT input.lighthousePort',
    ])
    expect(await change(world, 'updateNodeRelay', { nodeId, isRelay: true })).toEqual([
      'RELAY_NOT_PUBLIC input.isRelay',
    ])
    expect(await change(world, 'updateNodeRelay', { nodeId, isRelay: false })).toEqual([])
    expect(await change(world, 'updateNodeRelay', { nodeId: world.adminNodeId, isRelay: true })).toEqual([])
    expect(await node(world, { isRelay: true })).toEqual(['RELAY_NOT_PUBLIC input.isRelay'])
  })

  test('sizes, names and groups', async () => {
    const world = await newWorld()
    const { nodeId } = world
    await change(world, 'updateNodeLighthouse', { nodeId: world.adminNodeId, ...lighthouse })
    expect(await change(world, 'updateNodeMtu', { nodeId, mtu: 1440 })).toEqual([])
    expect(await change(world, 'updateNodeMtu', { nodeId, mtu: 1441 })).toEqual(['MTU_TOO_LARGE input.mtu'])
    expect(await change(world, 'updateNodeGroups', { nodeId, groups: ['any'] })).toEqual([
      'MEANS_EVERYBODY input.groups.0',
    ])
    expect(await node(world, { name: 'any', mtu: 9000, groups: ['a', 'any'] })).toEqual([
      'MEANS_EVERYBODY input.name',
      'MTU_TOO_LARGE input.mtu',
      'MEANS_EVERYBODY input.groups.1',
    ])
    expect(await change(world, 'updateNodeAdmin', { nodeId, isAdmin: true })).toEqual([])
  })

  test('routes that are somebody else’s, everybody’s, another node’s, or take a lighthouse in', async () => {
    const world = await newWorld()
    const nodeId = world.adminNodeId
    await change(world, 'updateNodeLighthouse', { nodeId, ...lighthouse })
    const routes = (...list: string[]) =>
      change(world, 'updateNodeRoutes', { nodeId, routes: list, allowDefaultRoute: true })
    expect(await routes('172.16.0.0/24', '8.8.8.0/24')).toEqual(['PUBLIC_NETWORK input.routes.1'])
    expect(await routes('172.16.0.0/24', '0.0.0.0/0')).toEqual([
      'DEFAULT_ROUTE input.routes.1',
      'ROUTE_TWICE input.routes.1',
    ])
    expect(await routes('198.51.100.0/24')).toEqual(['LIGHTHOUSE_BEHIND_ROUTE input.routes.0'])
    const input = { nodeId, routes: ['192.168.0.0/16', '192.168.1.0/24'] }
    const [inside, same] = await triedWarnings(app, world.admin, 'updateNodeRoutes', input)
    expect(inside).toMatchObject({ code: 'ROUTE_TWICE', path: ['input', 'routes', '0'] })
    expect(inside?.message).toMatch(/the longer prefix has them$/)
    expect(same?.message).toMatch(/with certificates of version 1, all nodes send through the one/)
    expect(await node(world, { routes: ['192.168.1.0/24'] })).toEqual(['ROUTE_TWICE input.routes.0'])
    // A node sets its own routes, and hears of them too.
    const own = await warningsOf(app, world.adminNodeToken, 'updateNodeRoutes', { nodeId, routes: ['9.0.0.0/8'] })
    expect(kindsOf(own)).toEqual(['PUBLIC_NETWORK input.routes.0'])
  })

  test('CAs that end soon or sign too little, and certificates that are to outlive them', async () => {
    const world = await newWorld()
    const { clusterId } = world
    const [notBefore, notAfter] = [new Date(Date.now() - day), new Date(Date.now() + 20 * day)]
    const limits = { networks: [], unsafeNetworks: [], groups: ['a'] }
    const ca = createCa({ version: 1, name: 'mine', notBefore, notAfter, ...limits })
    const input = { clusterId, caCertificate: ca.certificate.pem, caKey: exportCaKey(ca) }
    const enroll = (enrollGroups: string[]) =>
      warningsOf(app, world.admin, 'updateClusterEnrollment', { clusterId, enrollGroups }).then(kindsOf)
    expect(await enroll(['any', 'a', 'b'])).toEqual(['MEANS_EVERYBODY input.enrollGroups.0'])
    expect(await change(world, 'importClusterPki', input)).toEqual([
      'CA_ENDS_SOON input.caCertificate',
      'CERTIFICATES_OUTLIVE_CA input.caCertificate',
      'GROUP_NOT_SIGNED input.caCertificate',
    ])
    const lifetime = (certificateLifetimeDays: number) =>
      change(world, 'updateClusterCertificates', { clusterId, certificateLifetimeDays })
    expect(await lifetime(15)).toEqual([])
    expect(await lifetime(40)).toEqual(['CERTIFICATES_OUTLIVE_CA input.certificateLifetimeDays'])
    expect(await change(world, 'rotateClusterCa', { clusterId, caLifetimeDays: 35 })).toEqual([
      'CERTIFICATES_OUTLIVE_CA input.caLifetimeDays',
    ])
    expect(await change(world, 'abortClusterCaRotation', { clusterId })).toEqual(['CA_ENDS_SOON input.clusterId'])
  })

  test('a machine that enrolls under a name that rules cannot mean', async () => {
    const world = await newWorld()
    const pem = formatPublicKey(generateNodeKeyPair().publicKey)
    const input = { name: 'any', publicKey: pem }
    expect(kindsOf(await warningsOf(app, world.clusterToken, 'enrollNode', input))).toEqual([
      'MEANS_EVERYBODY input.name',
    ])
  })

  test('a dry run is asked about by no statement, and a change by as many for a large cluster as for a small one', async () => {
    const world = await newWorld()
    const { clusterId } = world
    const statements = async (input: object, payload: string) => {
      app.takeStatements()
      const routes = ['192.168.1.0/24']
      const outcome = await mutate(
        app,
        world.admin,
        'createNode',
        { clusterId, name: randomUUID(), routes, ...input },
        payload,
      )
      expect(outcome.__typename).toBe('CreateNodePayload')
      return app.takeStatements().length
    }
    const shown = '__typename warnings { code }'
    const dry = await statements({ dryRun: true }, '__typename')
    expect(await statements({ dryRun: true }, `${shown} plan { warnings { code } }`)).toBe(dry)
    const without = await statements({}, '__typename')
    // The cluster's row, its lighthouses, two of its nodes, the gateways.
    expect(await statements({}, shown)).toBe(without + 4)
    for (let index = 0; index < 5; index += 1) await statements({}, '__typename')
    expect(await statements({}, shown)).toBe(without + 4)
  })
})
