import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'

import type { CompileInput } from '../../src/domain/bundles/compile/compile.ts'
import { renderFiles } from '../../src/domain/bundles/compile/render.ts'
import { checkIdentity } from '../../src/nebula/identity.ts'
import { deepMerge, type Settings } from '../../src/nebula/merge.ts'
import { checkSettings } from '../../src/nebula/settings.ts'
import { generateNodeKeyPair } from '../../src/pki/keys.ts'
import { describeWithNebula } from '../support/nebula.ts'
import { idOf, inputOf, newCa, nodeOf } from './cluster.ts'

const keys = generateNodeKeyPair()

/** What an agent would give Nebula for the node at this place. */
function effective(input: CompileInput, index: number): Settings {
  const files = renderFiles(input)
  const read = (path: string): Settings => parse(files.get(path) ?? '') as Settings
  return deepMerge(deepMerge(read('config.yml'), read(`nodes/${idOf(index)}.yml`)), {
    pki: { ca: files.get('ca.crt'), cert: files.get(`certs/${idOf(index)}.crt`), key: keys.privateKeyPem },
  })
}

/** What Nebula's own check says of it; nothing when it is fine. */
function complaintOf(config: Settings): string {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-nebula-'))
  try {
    writeFileSync(join(folder, 'config.yml'), stringify(config))
    const { status, stdout, stderr } = spawnSync('nebula', ['-test', '-config', join(folder, 'config.yml')], {
      encoding: 'utf8',
    })
    return status === 0 ? '' : stdout + stderr
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const nodes = [
  nodeOf(0, { isLighthouse: true, lighthousePublicIp: '203.0.113.7' }, keys),
  nodeOf(1, { isRelay: true }, keys),
  nodeOf(2, { routes: ['192.168.1.0/24'], groups: ['web'] }, keys),
  nodeOf(3, { routes: ['192.168.1.0/24', '192.168.2.0/24'] }, keys),
  nodeOf(4, { isLighthouse: true }, keys),
  nodeOf(5, { mtu: 1400 }, keys),
]

const shared = {
  'config.yml': 'lighthouse: {interval: 30}\nfirewall: {conntrack: {tcp_timeout: 1m}}\npunchy: {respond: true}\n',
  further: [],
}

const firewall = {
  inbound: [
    { port: '443', proto: 'tcp' as const, groups: ['web', 'prod'], caName: 'acme' },
    { port: '200-300', proto: 'udp' as const, cidr: '10.42.0.0/24', localCidr: '192.168.1.0/24' },
  ],
  outbound: [{ port: 'any', proto: 'any' as const, host: 'any' }],
}

describeWithNebula('Nebula itself accepts what is compiled', () => {
  test.each([
    ['as it comes', {}],
    ['over an uploaded configuration', { shared }],
    ['with rules of every kind', { firewall }],
    ['with a blocklist', { blocklist: ['c9'.repeat(32)] }],
    ['while the CA is being rotated', { cas: [newCa().certificate.pem, ...inputOf([]).cas] }],
  ])('%s, for every node', (_, fields) => {
    const input = inputOf(nodes, { ...fields, firewall: 'firewall' in fields ? firewall : inputOf([]).firewall })
    for (const index of nodes.keys()) {
      const config = effective(input, index)
      expect([index, complaintOf(config)]).toEqual([index, ''])
      expect(checkSettings(config)).toEqual([])
    }
  })

  test('and would say so if it did not', () => {
    expect(complaintOf(deepMerge(effective(inputOf(nodes), 1), { pki: { key: 'none' } }))).toContain('key')
  })
})

describe('what Nebula’s check lets pass', () => {
  const files = renderFiles(inputOf(nodes))
  const [ca, certificate] = [files.get('ca.crt') ?? '', files.get(`certs/${idOf(1)}.crt`) ?? '']
  const at = new Date('2026-06-01')

  test('a certificate of a CA that is not trusted', () => {
    expect(checkIdentity(ca, certificate, at)).toEqual([])
    expect(checkIdentity(newCa().certificate.pem, certificate, at)[0]?.message).toContain('no CA given here')
  })

  test('a CA in place of a node, a certificate that expired, no certificate', () => {
    expect(checkIdentity(ca, ca, at)[0]?.message).toContain('holds the certificate of the CA "acme"')
    expect(checkIdentity(ca, certificate, new Date('2060-01-01'))[0]?.message).toContain('expired')
    expect(checkIdentity(ca, '', at)[0]?.path).toEqual(['pki', 'cert'])
  })
})
