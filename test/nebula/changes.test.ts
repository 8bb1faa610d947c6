import { describe, expect, test } from '@jest/globals'

import { actionFor, signsOf } from '../../src/nebula/action.ts'
import { deepMerge, settingAt, type Settings } from '../../src/nebula/merge.ts'
import { markedTimeout } from '../../src/nebula/reload-signs.ts'
import { compareVersions, isAtLeast, isVersion, versionIn } from '../../src/nebula/version.ts'
import { createCa } from '../../src/pki/ca.ts'
import { generateNodeKeyPair } from '../../src/pki/keys.ts'
import { signNode } from '../../src/pki/sign.ts'

const [notBefore, notAfter] = [new Date('2026-01-01'), new Date('2036-01-01')]
const limits = { networks: [], unsafeNetworks: [], groups: [] }
const ca = createCa({ version: 1, name: 'acme', notBefore, notAfter, ...limits })
const { publicKey } = generateNodeKeyPair()

const certificate = (fields: object = {}): string =>
  signNode(ca, {
    version: 1,
    name: 'a',
    networks: ['10.42.0.5/16'],
    unsafeNetworks: [],
    groups: [],
    notBefore,
    notAfter,
    publicKey,
    ...fields,
  }).pem

const config: Settings = {
  pki: { ca: 'ca.crt', blocklist: [], disconnect_invalid: true },
  firewall: { inbound: [], outbound: [] },
  tun: { mtu: 1300, unsafe_routes: [] },
  lighthouse: { am_lighthouse: false, hosts: ['10.42.0.1'] },
}
const now = { config, ca: ca.certificate.pem, certificate: certificate() }
const withConfig = (change: Settings) => ({ ...now, config: deepMerge(config, change) })

describe('what a change takes', () => {
  test.each<[string, string, Settings, string?]>([
    ['none', 'nothing', {}],
    ['reload', 'the blocklist', { pki: { blocklist: ['a'.repeat(64)] } }],
    ['reload', 'the firewall', { firewall: { inbound: [{ port: 'any', proto: 'any', host: 'any' }] } }],
    ['reload', 'a lighthouse', { lighthouse: { hosts: [] } }],
    ['reload', 'a map that was not there', { static_host_map: { '10.42.0.1': ['203.0.113.7:4242'] } }],
    ['reload', 'relays', { relay: { relays: ['10.42.0.9'] } }],
    ['restart', 'being a lighthouse', { lighthouse: { am_lighthouse: true } }],
    ['restart', 'the port', { listen: { port: 4243 } }],
    ['restart', 'how often a node announces itself', { lighthouse: { interval: 20 } }],
    ['reload', 'the same, from 1.9.3 on', { lighthouse: { interval: 20 } }, '1.9.3'],
    [
      'restart',
      'whom a node takes packets from',
      { lighthouse: { remote_allow_list: { '0.0.0.0/0': false } } },
      '1.11.0',
    ],
    ['restart', 'being a relay', { relay: { am_relay: true } }, '1.11.0'],
    ['restart', 'how long flows are remembered', { firewall: { conntrack: { udp_timeout: '5s' } } }, '1.11.0'],
    ['restart', 'the MTU', { tun: { mtu: 1400 } }],
    ['reload', 'the MTU, from 1.9.3 on', { tun: { mtu: 1400 } }, '1.9.3'],
    ['restart', 'routes', { tun: { unsafe_routes: [1] } }],
    ['reload', 'routes, from 1.9.3 on', { tun: { unsafe_routes: [1] } }, '1.9.3'],
    ['restart', 'the cipher', { cipher: 'chachapoly' }],
    ['restart', 'cutting what was revoked', { pki: { disconnect_invalid: false } }],
    ['restart', 'what is not known', { new: { setting: 1 } }],
    ['restart', 'two, the harder one', { cipher: 'aes', firewall: { inbound: [1] } }],
  ])('%s: %s', (action, _, change, version = '1.6.1') => {
    expect(actionFor(now, withConfig(change), version)).toBe(action)
  })

  test.each([
    [
      'reload',
      'a new certificate of the same node',
      { certificate: certificate({ notAfter: new Date('2030-01-01') }) },
    ],
    ['restart', 'new groups, which live tunnels do not heed', { certificate: certificate({ groups: ['web'] }) }],
    ['restart', 'a new address', { certificate: certificate({ networks: ['10.42.0.6/16'] }) }],
    ['restart', 'new networks behind it', { certificate: certificate({ unsafeNetworks: ['192.168.1.0/24'] }) }],
    ['reload', 'another CA beside it', { ca: `${now.ca}${now.ca}` }],
  ])('%s: %s', (action, _, change) => {
    expect(actionFor(now, { ...now, ...change }, '1.6.1')).toBe(action)
  })
})

describe('what shows that a reload was read', () => {
  const signs = (change: Settings, version = '1.9.3') => signsOf(now, withConfig(change), version).map(({ of }) => of)

  test('is a line of the files in each case, and one of each section that says something', () => {
    expect(signs({})).toEqual(['pki.ca and pki.cert'])
    const change = {
      pki: { blocklist: ['a'.repeat(64)] },
      lighthouse: { hosts: [], interval: 5 },
      static_host_map: { '10.42.0.1': ['203.0.113.7:4242'], '10.42.0.2': ['203.0.113.8:4242'] },
      firewall: { inbound: [1] },
    }
    const said = ['lighthouse.hosts', 'lighthouse.interval', 'pki.blocklist', 'pki.ca and pki.cert', 'static_host_map']
    expect(signs(change).sort()).toEqual(said)
  })

  test('is not asked of what Nebula says nothing of', () => {
    expect(signs({ relay: { relays: ['10.42.0.9'] }, logging: { level: 'debug' } })).toEqual(['pki.ca and pki.cert'])
  })
})

test.each([
  [undefined, '10m0.7ns0.2ns'],
  [null, '10m0.7ns0.2ns'],
  ['1m30s', '1m30s0.7ns0.2ns'],
  [0, '0s0.7ns0.2ns'],
])('the text that makes each generation another one: %s', (timeout, text) => {
  expect(markedTimeout(timeout, { version: 7, number: 2 })).toBe(text)
})

test('merging replaces lists, zeros and nothing, which Nebula would not', () => {
  const merged = deepMerge({ a: { b: [1], c: true, d: 1 }, e: 2 }, { a: { b: [], c: false, d: null }, f: { g: 0 } })
  expect(merged).toEqual({ a: { b: [], c: false, d: null }, e: 2, f: { g: 0 } })
  expect(settingAt(merged, ['a', 'c'])).toBe(false)
  expect(settingAt(merged, ['a', 'c', 'd'])).toBeUndefined()
  expect(settingAt(merged, ['constructor'])).toBeUndefined()
})

test('merging touches neither side, and no prototype', () => {
  const over = JSON.parse('{"__proto__":{"polluted":true}}') as Settings
  deepMerge({ a: 1 }, over)
  expect('polluted' in {}).toBe(false)
})

describe('versions', () => {
  test('are ordered as semver orders them', () => {
    const sorted = ['1.6.1', '1.6.10', '1.9.7+dfsg', '1.10.0-beta2', '1.10.0-rc1', '1.10.0-rc2', '1.10.0', 'v1.11.0']
    expect(sorted.toReversed().sort(compareVersions)).toEqual(sorted)
    expect(compareVersions('1.6.1', '1.6.1+dfsg')).toBe(0)
    expect([isAtLeast('1.10.0-rc1', '1.10.0'), isAtLeast('1.9.9', '1.10.0')]).toEqual([true, false])
  })

  test('are told from other texts', () => {
    expect([isVersion('1.6'), isVersion('dev'), isVersion('1.6.1')]).toEqual([false, false, true])
    expect(() => compareVersions('dev', '1.6.1')).toThrow('"dev" is not a version')
    expect([versionIn('Version: 1.6.1\n'), versionIn('1.6.1')]).toEqual(['1.6.1', null])
  })
})
