import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from '@jest/globals'

import { settingsOf } from '../../src/agent/nebula/generation.ts'
import type { Settings } from '../../src/nebula/merge.ts'
import type { VerifiedSlice } from '../../src/nebula/bundle/slice.ts'
import { versionDifferences } from './version-differences.ts'
import { minimumNebulaFor, widerOn } from '../../src/nebula/version-hazards.ts'

const inbound = (...rules: Settings[]): Settings => ({ firewall: { inbound: rules, outbound: [] } })
const tcp = { port: 443, proto: 'tcp', group: 'ops' }

/** What packets did: `test/mesh/firewall.test.ts`. */
const cases: [title: string, config: Settings, minimum: string, widerOn: Record<string, boolean>][] = [
  ['a rule that all versions read alike', inbound(tcp), '1.6.0', { '1.6.1': false, '1.9.3': false, '1.11.0': false }],
  [
    'local_cidr',
    inbound({ ...tcp, local_cidr: '10.1.0.0/16' }),
    '1.9.0',
    { '1.6.1': true, '1.8.2': true, '1.9.0': false, '1.9.0-rc1': false, '1.11.0': false },
  ],
  [
    'local_cidr of an outbound rule',
    { firewall: { outbound: [tcp, { ...tcp, local_cidr: '10.1.0.0/16' }] } },
    '1.9.0',
    { '1.6.1': true, '1.9.3': false },
  ],
  [
    'default_local_cidr_any: false',
    { firewall: { default_local_cidr_any: false } },
    '1.9.0',
    { '1.6.1': true, '1.9.3': false, '1.11.0': false },
  ],
  ['default_local_cidr_any: true', { firewall: { default_local_cidr_any: true } }, '1.6.0', { '1.6.1': false }],
  ['every address', inbound({ ...tcp, cidr: '0.0.0.0/0' }), '1.6.0', { '1.6.1': false, '1.11.0': false }],
  [
    'a network with the lowest address in it',
    inbound({ port: 1, proto: 'tcp', cidr: '0.0.0.0/8' }),
    '1.11.0',
    { '1.6.1': true, '1.9.3': true, '1.10.3': true, '1.11.0': false },
  ],
  [
    'the same with host bits',
    inbound({ port: 1, proto: 'tcp', host: 'any', local_cidr: '1.2.3.4/4' }),
    '1.11.0',
    { '1.9.3': true, '1.11.0': false },
  ],
  [
    'IPv6',
    inbound({ port: 1, proto: 'tcp', cidr: 'fd00::/8' }),
    '1.11.0',
    { '1.6.1': true, '1.9.3': true, '1.11.0': false },
  ],
  [
    'a port of ICMP',
    inbound({ port: '80', proto: 'icmp', host: 'any' }),
    '1.6.0',
    { '1.6.1': false, '1.9.3': false, '1.11.0': true },
  ],
  ['any port of ICMP', inbound({ port: 0, proto: 'icmp', host: 'any' }), '1.6.0', { '1.11.0': false }],
]

describe('what one version of Nebula takes for more than another', () => {
  test.each(cases)('%s', (_title, config, minimum, expected) => {
    expect(minimumNebulaFor(config)).toBe(minimum)
    const found = Object.keys(expected).map((version) => [version, widerOn(config, version).length > 0])
    expect(Object.fromEntries(found)).toEqual(expected)
  })

  test('is named by its place', () => {
    expect(widerOn(inbound(tcp, { ...tcp, local_cidr: '10.1.0.0/16' }), '1.6.1')).toEqual([
      {
        path: ['firewall', 'inbound', '1', 'local_cidr'],
        message: expect.stringMatching(/^lets more in with Nebula 1\.6\.1/),
      },
    ])
  })

  const slice = (config: Settings, minimumNebulaVersion: string) =>
    ({ manifest: { minimumNebulaVersion }, config: JSON.stringify(config), nodeConfig: '', ca: '' }) as VerifiedSlice

  test('an agent looks for itself, whatever the manifest says', () => {
    const lying = slice(inbound({ ...tcp, local_cidr: '10.1.0.0/16' }), '1.6.0')
    expect(() => settingsOf(lying, '', '1.6.1')).toThrow(/^firewall\.inbound\.0\.local_cidr lets more in/)
  })

  test('an agent believes a manifest that says its Nebula is too old', () => {
    expect(() => settingsOf(slice({}, '1.10.0'), '', '1.9.3')).toThrow(/needs Nebula 1\.10\.0 or newer.* 1\.9\.3/)
  })
})

test('docs/nebula.md has every difference between the versions', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/nebula.md'), 'utf8')
  const missing = versionDifferences.filter(
    ({ setting, since, consequence }) => !text.includes(`| ${setting} | ${since} | ${consequence} |`),
  )
  expect(missing.map(({ setting }) => setting)).toEqual([])
})
