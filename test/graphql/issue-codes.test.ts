import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { issueCodes } from '../../src/base/issues.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { callWith } from '../support/changes.ts'
import { createWorld, type World } from '../support/world.ts'

type Case = readonly [code: string, mutation: string, input: (world: World) => object, path: string]

const rule = { port: '22', proto: 'TCP', host: 'any' }
const firewall = (inbound: object[]) => (world: World) => ({
  clusterId: world.clusterId,
  firewall: { inbound, outbound: [] },
})
const node = (fields: object) => (world: World) => ({ clusterId: world.clusterId, name: randomUUID(), ...fields })
const many = (count: number, of: (index: number) => string) => Array.from({ length: count }, (_, index) => of(index))

/** For each code, what gives it. */
const cases: readonly Case[] = [
  ['REQUIRED', 'createNode', node({ name: ' ' }), 'name'],
  ['REQUIRED', 'createNode', node({ isLighthouse: true }), 'lighthousePublicIp'],
  ['REQUIRED', 'updateClusterFirewall', firewall([{ port: '22', proto: 'TCP' }]), 'firewall.inbound.0'],
  ['REQUIRED', 'updateClusterFirewall', firewall([{ ...rule, host: null, groups: [] }]), 'firewall.inbound.0.groups'],
  ['TOO_LONG', 'createNode', node({ name: 'x'.repeat(254) }), 'name'],
  ['TOO_LONG', 'createNode', node({ description: 'x'.repeat(501) }), 'description'],
  ['TOO_LONG', 'createNode', node({ name: 'x'.repeat(65_537) }), 'name'],
  ['TOO_MANY', 'createNode', node({ groups: many(65, (index) => `g${index}`) }), 'groups'],
  ['TOO_MANY', 'updateClusterFirewall', firewall(Array.from({ length: 257 }, () => rule)), 'firewall.inbound'],
  ['OUT_OF_RANGE', 'updateNodeMtu', ({ nodeId }) => ({ nodeId, mtu: 1279 }), 'mtu'],
  ['OUT_OF_RANGE', 'updateNodeMtu', ({ nodeId }) => ({ nodeId, mtu: 9001 }), 'mtu'],
  ['OUT_OF_RANGE', 'createNode', node({ overlayIp: '192.0.2.1' }), 'overlayIp'],
  ['OUT_OF_RANGE', 'createCluster', () => ({ name: 'x', networkCidr: '10.0.0.0/31' }), 'networkCidr'],
  ['INVALID_FORMAT', 'updateClusterFirewall', firewall([{ ...rule, port: '200-100' }]), 'firewall.inbound.0.port'],
  ['INVALID_FORMAT', 'createNode', node({ labels: [{ key: 'Site', value: '' }] }), 'labels.0.key'],
  ['INVALID_CHARACTER', 'createNode', node({ name: 'two\nlines' }), 'name'],
  ['INVALID_CHARACTER', 'createNode', node({ name: '\u0000' }), 'name'],
  ['INVALID_CHARACTER', 'createNode', node({ groups: ['a,b'] }), 'groups.0'],
  ['DUPLICATE', 'createNode', node({ groups: ['a', 'b', 'a'] }), 'groups.2'],
  ['DUPLICATE', 'createNode', node({ labels: ['a', 'a'].map((key) => ({ key, value: '' })) }), 'labels.1.key'],
  ['NOT_ALLOWED', 'createNode', node({ routes: ['0.0.0.0/0'] }), 'routes.0'],
  ['NOT_ALLOWED', 'createNode', node({ routes: ['127.0.0.0/8'] }), 'routes.0'],
  ['NOT_ALLOWED', 'createCluster', () => ({ name: 'x', enrollGroups: ['db'], caGroups: ['web'] }), 'enrollGroups.0'],
  ['OVERLAPS', 'createNode', node({ routes: ['10.42.1.0/24'] }), 'routes.0'],
  ['OVERLAPS', 'createNode', node({ isLighthouse: true, lighthousePublicIp: '10.42.0.9' }), 'lighthousePublicIp'],
  ['EXCLUSIVE', 'updateClusterFirewall', firewall([{ ...rule, group: 'db' }]), 'firewall.inbound.0'],
  [
    'UNUSABLE',
    'importClusterPki',
    ({ clusterId }) => ({ clusterId, caCertificate: 'none', caKey: 'none' }),
    'caCertificate',
  ],
]

describe('the code of a broken rule', () => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp('sqlite')
    world = await createWorld(app, 'coded', randomUUID())
  })
  afterAll(() => app.close())

  test.each(cases)('%s (%#): %s', async (code, mutation, input, path) => {
    const select = '... on ValidationError { issues { code path } }'
    const { text } = await callWith(app, world.admin, mutation, { input: { ...input(world) }, select })
    const { data } = JSON.parse(text) as { data: Record<string, { issues?: { code: string; path: string[] }[] }> }
    const given = data[mutation]?.issues?.map((issue) => [issue.code, issue.path.slice(1).join('.')])
    expect(given).toContainEqual([code, path])
  })

  test('is tested for each code that there is', () => {
    expect([...new Set(cases.map(([code]) => code))].sort()).toEqual([...issueCodes].sort())
  })
})

/** zod does not demand a code of a rule that it does not know, so that only reading the source shows one without. */
test('every rule of the domain that zod does not know is made with a code', () => {
  const files = readdirSync('src/domain', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const without = files.flatMap((file) => {
    const source = readFileSync(join('src/domain', file), 'utf8')
    const refinements = source.split('.refine(').length - 1
    const coded = source.match(/\b(?:rule|says)\(\s*'[A-Z_]+'/g)?.length ?? 0
    const raw = file === join('shared', 'issues.ts') ? 0 : source.split('addIssue(').length - 1
    return raw > 0 || refinements > coded ? [file] : []
  })
  expect(without).toEqual([])
})
