import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { packBundle } from '../../../src/domain/bundles/compile/pack.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { send } from '../../support/multipart.ts'
import { fileMark } from '../../support/schema-walk.ts'
import { kindsOf, triedWarnings, warningsOf, type Warning } from '../../support/warnings.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const any = { port: 'any', proto: 'ANY', host: 'any' }
const at = 'input.firewall.inbound.0'

describe.each(engines)('what a firewall is warned of on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    // Its plain node, "walls-node", routes 192.168.1.0/24.
    world = await createWorld(app, 'walls', randomUUID())
    await app.database.client.configBundle.deleteMany({})
    await createNode(app, world.admin, { clusterId: world.clusterId, name: 'db', groups: ['db', 'eu'] })
  })
  afterAll(() => app.close())

  const set = (firewall: object) =>
    triedWarnings(app, world.admin, 'updateClusterFirewall', { clusterId: world.clusterId, firewall })
  const inbound = async (...rules: object[]) =>
    kindsOf(await set({ inbound: rules.map((rule) => ({ port: 'any', proto: 'ANY', ...rule })), outbound: [any] }))

  test('one that lets pass what there is: nothing', async () => {
    expect(
      await inbound(
        { group: 'db' },
        { groups: ['db', 'eu'] },
        { host: 'walls-node' },
        { cidr: '10.42.7.0/24' },
        { cidr: '192.168.0.0/16' },
        { localCidr: '192.168.1.64/26', group: 'db' },
      ),
    ).toEqual([])
    expect(await inbound(any)).toEqual([])
  })

  test('empty lists: nobody gets in, or nothing out', async () => {
    expect(kindsOf(await set({ inbound: [], outbound: [any] }))).toEqual(['NOBODY_IN input.firewall.inbound'])
    expect(kindsOf(await set({ inbound: [any], outbound: [] }))).toEqual(['NOTHING_OUT input.firewall.outbound'])
  })

  test.each([
    ['a group that no node has', { group: 'dbs' }, `UNKNOWN_GROUP ${at}.group`],
    ['groups that no node has together', { groups: ['db', 'us'] }, `UNKNOWN_GROUP ${at}.groups`],
    ['a name that no node has', { host: 'db.example.com' }, `UNKNOWN_HOST ${at}.host`],
    ['a network that is nowhere', { cidr: '10.43.0.0/16' }, `UNREACHED_CIDR ${at}.cidr`],
    [
      'a network that is nowhere on this side',
      { host: 'any', localCidr: '192.168.2.0/24' },
      `UNREACHED_CIDR ${at}.localCidr`,
    ],
    ['a CA that nobody has', { caName: 'another' }, `UNKNOWN_CA ${at}.caName`],
    ['a fingerprint that no CA has', { caSha: '0'.repeat(64) }, `UNKNOWN_CA ${at}.caSha`],
  ])('%s', async (_what, rule, warning) => {
    expect(await inbound(rule)).toEqual([warning])
  })

  test('a rule for everybody beside narrower ones, which then keep nobody out', async () => {
    expect(await inbound({ group: 'db' }, any)).toEqual(['WITHOUT_EFFECT input.firewall.inbound.1'])
    expect(await inbound({ group: 'db' }, { host: 'any', port: '22', proto: 'TCP' })).toEqual([])
  })

  test('the message says what to do, and the other tenant’s nodes count for nothing', async () => {
    const others = await createWorld(app, 'others', randomUUID())
    await createNode(app, others.admin, { clusterId: others.clusterId, name: 'theirs', groups: ['their-group'] })
    const warnings = await set({
      inbound: [
        { ...any, host: undefined, group: 'their-group' },
        { ...any, host: 'theirs' },
      ],
      outbound: [any],
    })
    expect(warnings).toMatchObject([
      {
        code: 'UNKNOWN_GROUP',
        path: ['input', 'firewall', 'inbound', '0', 'group'],
        message:
          'no node of the cluster has the group "their-group", so that the rule is for nobody: give it to nodes, or see whether it is written as theirs',
      },
      { code: 'UNKNOWN_HOST', path: ['input', 'firewall', 'inbound', '1', 'host'] },
    ])
  })

  test('at most 100 are told', async () => {
    const rules = Array.from({ length: 256 }, (_, index) => ({ port: 'any', proto: 'ANY', group: `g${index}` }))
    expect(await inbound(...rules)).toHaveLength(100)
  })

  test('the last node of a group that a rule names, and the node that a rule names', async () => {
    await inbound({ group: 'last' }, { host: 'named' }, { groups: ['db', 'last'] })
    const { id } = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'named', groups: ['last'] })
    const other = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'other', groups: ['last'] })
    const groups = (nodeId: string, names: string[]) =>
      triedWarnings(app, world.admin, 'updateNodeGroups', { nodeId, groups: names }).then(kindsOf)
    expect(await groups(other.id, [])).toEqual([])
    expect(await groups(id, [])).toEqual(['UNKNOWN_GROUP input.groups'])
    // What it had not before, it did not take away.
    expect(await groups(id, [])).toEqual([])
    await groups(id, ['last'])
    expect(kindsOf(await triedWarnings(app, world.admin, 'deleteNode', { nodeId: id }))).toEqual([
      'UNKNOWN_GROUP input.nodeId',
      'UNKNOWN_HOST input.nodeId',
    ])
    expect(kindsOf(await triedWarnings(app, world.admin, 'deleteNode', { nodeId: other.id }))).toEqual([])
  })

  test('one that comes with an upload, or back with an old version', async () => {
    const archive = await packBundle([
      {
        path: 'config.yml',
        content: 'firewall:\n  inbound:\n    - {port: any, proto: any, group: nobodys}\n  outbound: []\n',
      },
    ])
    const query = `mutation ($input: CreateConfigBundleInput!) { createConfigBundle(input: $input) {
      ... on CreateConfigBundlePayload { configBundle { version } warnings { code path message } } } }`
    const variables = { input: { clusterId: world.clusterId, archive: fileMark } }
    const { text } = await send(app, world.admin, query, variables, archive)
    const { data } = JSON.parse(text) as {
      data: { createConfigBundle: { configBundle: { version: number }; warnings: Warning[] } }
    }
    const { warnings, configBundle } = data.createConfigBundle
    expect(kindsOf(warnings)).toEqual(['NOTHING_OUT input.archive', 'UNKNOWN_GROUP input.archive'])
    expect(warnings[1]?.message).toMatch(/^firewall\.inbound\.0\.group: no node of the cluster has/)
    const back = { clusterId: world.clusterId, version: configBundle.version }
    const again = await triedWarnings(app, world.admin, 'rollbackClusterConfig', back)
    expect(kindsOf(again)).toEqual(['NOTHING_OUT input.version', 'UNKNOWN_GROUP input.version'])
  })

  test('nothing is looked for that nobody asks for, and as much for ten rules as for two', async () => {
    const statements = async (rules: number, asked: boolean) => {
      const sides = Array.from({ length: rules }, (_, index) => [
        { port: 'any', proto: 'ANY', group: `g${index}` },
        { port: 'any', proto: 'ANY', host: `h${index}` },
        { port: 'any', proto: 'ANY', cidr: `10.99.${index}.0/24` },
      ]).flat()
      const input = { clusterId: world.clusterId, firewall: { inbound: sides, outbound: [any] } }
      app.takeStatements()
      if (asked) expect(await warningsOf(app, world.admin, 'updateClusterFirewall', input)).toHaveLength(3 * rules)
      else
        await app.ask(
          world.admin,
          'mutation ($input: UpdateClusterFirewallInput!) { updateClusterFirewall(input: $input) { __typename } }',
          { input },
        )
      return app.takeStatements().length
    }
    const without = await statements(2, false)
    // The cluster's row, the groups of its nodes, the names, the gateways.
    expect(await statements(2, true)).toBe(without + 4)
    expect(await statements(10, true)).toBe(without + 4)
  })
})
