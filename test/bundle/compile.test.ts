import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'

import { compileInThread, compileThreads } from '../../src/domain/bundles/compile/compile-thread.ts'
import { compileBundle, type CompileInput } from '../../src/domain/bundles/compile/compile.ts'
import { renderFiles } from '../../src/domain/bundles/compile/render.ts'
import { inspectBundle } from '../../src/domain/bundles/inspect/inspect.ts'
import { readBundle } from '../../src/domain/bundles/read/read.ts'
import { sharedPart } from '../../src/domain/bundles/compile/shared-part.ts'
import { readManifest } from '../../src/nebula/bundle/manifest.ts'
import { verifyManifest } from '../../src/nebula/bundle/signing.ts'
import { deepMerge, settingAt, type Settings } from '../../src/nebula/merge.ts'
import { bundleKey, ca, clusterId, idOf, inputOf, newCa, nodeOf } from './cluster.ts'

const lighthouse = nodeOf(0, { name: 'lh', isLighthouse: true, lighthousePublicIp: '203.0.113.7' })
const nodes = [lighthouse, nodeOf(1), nodeOf(2), nodeOf(3, { certificate: null })]

const sharedOf = (input: CompileInput): Settings => parse(renderFiles(input).get('config.yml') ?? '') as Settings
const ownOf = (input: CompileInput, index: number): Settings =>
  parse(renderFiles(input).get(`nodes/${idOf(index)}.yml`) ?? '') as Settings

async function unpack(data: Uint8Array): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for await (const { path, content } of readBundle(data)) files.set(path, Buffer.from(content).toString())
  return files
}

describe('a bundle', () => {
  const { data, ...bundle } = compileBundle(inputOf(nodes))

  test('is the same byte for byte, whatever the order of its nodes, and in the thread', async () => {
    expect(compileBundle(inputOf(nodes.toReversed())).sha256).toBe(bundle.sha256)
    expect((await compileInThread('somebody', inputOf(nodes))).sha256).toBe(bundle.sha256)
    await compileThreads.stop()
  })

  test('has what a cluster needs, and nothing of nodes without a certificate', async () => {
    const files = await unpack(data)
    const own = [0, 1, 2].map(idOf)
    expect([...files.keys()]).toEqual([
      'ca.crt',
      ...own.map((id) => `certs/${id}.crt`),
      'config.yml',
      'manifest.json',
      'manifest.sig',
      ...own.map((id) => `nodes/${id}.yml`),
    ])
    expect(files.get('ca.crt')).toBe(ca.certificate.pem)
    expect(bundle).toMatchObject({ size: data.length, nodeCount: 3, resigned: [], problems: [] })
  })

  test('has a manifest that its cluster signed', async () => {
    const files = await unpack(data)
    const [text, signature] = [files.get('manifest.json') ?? '', files.get('manifest.sig') ?? '']
    expect(verifyManifest(text, signature, bundleKey.publicKey)).toBe(true)
    const { version, cluster, createdAt, minimumNebulaVersion, nodes: tree, ...manifest } = readManifest(text)
    expect({ version, cluster, createdAt, minimumNebulaVersion, count: tree.count }).toEqual({
      version: 7,
      cluster: clusterId,
      createdAt: '2026-06-01T12:00:00.000Z',
      minimumNebulaVersion: '1.6.0',
      count: 3,
    })
    expect(Object.keys(manifest.files)).toEqual(['ca.crt', 'config.yml'])
  })

  test('can be downloaded and uploaded again', async () => {
    await expect(inspectBundle('somebody', data)).resolves.toMatchObject({ size: data.length })
  })

  test('of no nodes is one too', async () => {
    const { data: empty, nodeCount } = compileBundle(inputOf([]))
    expect(nodeCount).toBe(0)
    expect([...(await unpack(empty)).keys()]).toEqual(['ca.crt', 'config.yml', 'manifest.json', 'manifest.sig'])
  })
})

describe('each setting has its effect', () => {
  test('in what all nodes share', () => {
    expect(sharedOf(inputOf(nodes, { blocklist: ['b'.repeat(64), 'a'.repeat(64)] }))).toEqual({
      pki: { blocklist: ['a'.repeat(64), 'b'.repeat(64)], disconnect_invalid: true },
      punchy: { punch: true },
      relay: { use_relays: true },
      static_host_map: { '10.42.0.1': ['203.0.113.7:4242'] },
      tun: { unsafe_routes: [] },
      firewall: {
        default_local_cidr_any: true,
        inbound: [{ port: 'any', proto: 'any', host: 'any' }],
        outbound: [{ port: 'any', proto: 'any', host: 'any' }],
      },
    })
  })

  test('in what is a node’s own', () => {
    const own = renderFiles(inputOf(nodes)).get(`nodes/${idOf(1)}.yml`)
    expect(own?.split('\n')[0]).toBe('# node-1')
    expect(parse(own ?? '')).toEqual({
      lighthouse: { am_lighthouse: false, hosts: ['10.42.0.1'] },
      listen: { port: 0 },
      relay: { am_relay: false, relays: [] },
      tun: { mtu: 1300 },
    })
    expect(ownOf(inputOf(nodes), 0)).toMatchObject({
      lighthouse: { am_lighthouse: true, hosts: [] },
      listen: { port: 4242 },
    })
  })

  test('the ports and addresses of lighthouses', () => {
    const other = nodeOf(4, { isLighthouse: true, lighthousePublicIp: '2001:db8::7', lighthousePort: 4343 })
    const hidden = nodeOf(5, { isLighthouse: true })
    const input = inputOf([...nodes, other, hidden], { lighthousePort: 4444 })
    expect(sharedOf(input)['static_host_map']).toEqual({
      '10.42.0.1': ['203.0.113.7:4444'],
      '10.42.0.5': ['[2001:db8::7]:4343'],
    })
    // A lighthouse that has no entry there would keep Nebula from starting.
    expect(settingAt(ownOf(input, 1), ['lighthouse', 'hosts'])).toEqual(['10.42.0.1', '10.42.0.5'])
    expect(settingAt(ownOf(input, 4), ['listen', 'port'])).toBe(4343)
  })

  test('relays, which do not relay through themselves', () => {
    const input = inputOf([...nodes, nodeOf(6, { isRelay: true }), nodeOf(7, { isRelay: true })])
    expect(ownOf(input, 1)['relay']).toEqual({ am_relay: false, relays: ['10.42.0.7', '10.42.0.8'] })
    expect(ownOf(input, 6)['relay']).toEqual({ am_relay: true, relays: ['10.42.0.8'] })
  })

  test('MTU and name, a name with characters that YAML readers take differently too', () => {
    const text = renderFiles(inputOf([nodeOf(1, { mtu: 1400, name: 'a\u2028b: "c" #' })])).get(`nodes/${idOf(1)}.yml`)
    expect(text?.split('\n')[0]).toBe('# a?b: "c" #')
    expect(settingAt(parse(text ?? '') as Settings, ['tun', 'mtu'])).toBe(1400)
  })

  test('routes: everybody has them but the nodes that they lead to', () => {
    const [near, far] = [nodeOf(8, { routes: ['192.168.1.0/24', '::/0'] }), nodeOf(9, { routes: ['10.9.0.0/16'] })]
    const input = inputOf([...nodes, far, near])
    const all = [
      { route: '10.9.0.0/16', via: '10.42.0.10' },
      { route: '192.168.1.0/24', via: '10.42.0.9' },
    ]
    // The certificate, of version 1, has no room for ::/0.
    expect(settingAt(sharedOf(input), ['tun', 'unsafe_routes'])).toEqual(all)
    expect(settingAt(ownOf(input, 1), ['tun', 'unsafe_routes'])).toBeUndefined()
    expect(settingAt(ownOf(input, 8), ['tun', 'unsafe_routes'])).toEqual(all.slice(0, 1))
    expect(settingAt(ownOf(input, 9), ['tun', 'unsafe_routes'])).toEqual(all.slice(1))
  })

  test('two gateways of one network: one before Nebula 1.10, both from then on', () => {
    const gateways = [8, 9].map((index) => nodeOf(index, { routes: ['192.168.1.0/24'] }))
    const routes = (certificateVersion: 1 | 2) =>
      settingAt(sharedOf(inputOf(gateways, { certificateVersion })), ['tun', 'unsafe_routes'])
    expect(routes(1)).toEqual([{ route: '192.168.1.0/24', via: '10.42.0.10' }])
    expect(routes(2)).toEqual([{ route: '192.168.1.0/24', via: [{ gateway: '10.42.0.10' }, { gateway: '10.42.0.9' }] }])
  })

  test('the firewall, in Nebula’s names', () => {
    const rule = { port: '443', proto: 'tcp' as const, groups: ['a', 'b'], localCidr: '10.0.0.0/8' }
    const inbound = [
      { ...rule, caName: 'acme' },
      { ...rule, caSha: 'a'.repeat(64) },
    ]
    const config = sharedOf(inputOf(nodes, { firewall: { inbound, outbound: [] } }))
    const written = { port: '443', proto: 'tcp', groups: ['a', 'b'], local_cidr: '10.0.0.0/8' }
    expect(config['firewall']).toEqual({
      default_local_cidr_any: true,
      inbound: [
        { ...written, ca_name: 'acme' },
        { ...written, ca_sha: 'a'.repeat(64) },
      ],
      outbound: [],
    })
  })

  test('what later versions of Nebula read otherwise, in the spelling of all of them', () => {
    const config = 'local_range: 10.1.0.0/16\npreferred_ranges: [10.2.0.0/16]\n'
    const shared = sharedOf(inputOf(nodes, { shared: { 'config.yml': config, further: [] } }))
    expect(shared).toMatchObject({
      preferred_ranges: ['10.2.0.0/16', '10.1.0.0/16'],
      pki: { disconnect_invalid: true },
      firewall: { default_local_cidr_any: true },
    })
    expect(shared).not.toHaveProperty('local_range')
  })

  test.each([
    ['1.6.0', {}],
    [
      '1.9.0',
      { firewall: { inbound: [{ port: '1', proto: 'tcp', host: 'any', localCidr: '10.1.0.0/16' }], outbound: [] } },
    ],
    ['1.9.0', { shared: { 'config.yml': 'firewall: {default_local_cidr_any: false}\n', further: [] } }],
    ['1.10.0', { certificateVersion: 2 }],
  ] as const)('the manifest says that Nebula %s is needed for %j', async (version, fields) => {
    const { data } = compileBundle(inputOf(nodes, fields))
    const files = await unpack(data)
    expect(JSON.parse(files.get('manifest.json') ?? '')).toMatchObject({ minimumNebulaVersion: version })
  })

  test('names that YAML readers could take for something else stay what they are', () => {
    const group = { port: 'any', proto: 'any' as const, groups: ['yes', '2026-01-31', '1e3', '~', '012'] }
    const text =
      renderFiles(inputOf(nodes.slice(1), { firewall: { inbound: [group], outbound: [] } })).get('config.yml') ?? ''
    expect(text.match(/^ +- "[^"]*"$/gm)?.map((line) => line.trim())).toEqual(group.groups.map((name) => `- "${name}"`))
  })

  test('CAs: both during a rotation, and none of version 2 before the cluster is', () => {
    const [second, newer] = [newCa(), newCa(2)]
    const cas = [second, ca, newer].map(({ certificate }) => certificate.pem)
    const file = (certificateVersion: 1 | 2) => renderFiles(inputOf(nodes, { cas, certificateVersion })).get('ca.crt')
    expect(file(1)).toBe(cas.slice(0, 2).join(''))
    expect(file(2)).toBe(cas.join(''))
  })

  test('the cluster’s certificate version: which Nebula is needed', async () => {
    const files = await unpack(compileBundle(inputOf(nodes, { certificateVersion: 2 })).data)
    expect(readManifest(files.get('manifest.json') ?? '').minimumNebulaVersion).toBe('1.10.0')
  })
})

test('a thousand routers whose routes would fill the memory are refused in time', () => {
  const routes = (index: number) => Array.from({ length: 90 }, (_, at) => `10.${100 + at}.${index % 250}.0/24`)
  const routers = Array.from({ length: 300 }, (_, index) => nodeOf(index, { routes: routes(index) }))
  expect(() => compileBundle(inputOf(routers))).toThrow('the archive unpacks to more than 64 MiB')
})

describe('an uploaded configuration', () => {
  const config = `
punchy: {punch: false, respond: true}
static_host_map: {"10.42.0.99": ["198.51.100.1:4242"], "10.42.0.1": ["192.0.2.1:1"]}
lighthouse: {hosts: ["10.42.0.99"], interval: 30}
listen: {port: 4555}
firewall: {conntrack: {tcp_timeout: 1m}, inbound: []}
tun: {dev: nebula7, unsafe_routes: [{route: 1.0.0.0/8, via: 10.42.0.2}]}
`
  const shared = { 'config.yml': config, further: [{ path: 'extra/a.txt', content: Buffer.from('a') }] }

  test('stays, with what Orrery keeps as rows over it', () => {
    const input = inputOf(nodes, { shared })
    expect(sharedOf(input)).toMatchObject({
      punchy: { punch: false, respond: true },
      static_host_map: { '10.42.0.99': ['198.51.100.1:4242'], '10.42.0.1': ['203.0.113.7:4242'] },
      firewall: { conntrack: { tcp_timeout: '1m' }, inbound: [{ port: 'any', proto: 'any', host: 'any' }] },
      tun: { dev: 'nebula7', unsafe_routes: [] },
    })
    expect(deepMerge(sharedOf(input), ownOf(input, 1))).toMatchObject({
      lighthouse: { am_lighthouse: false, hosts: ['10.42.0.1', '10.42.0.99'], interval: 30 },
      listen: { port: 4555 },
    })
  })

  test('names no lighthouse that is gone, with which Nebula would not start', () => {
    const named = { 'config.yml': 'lighthouse: {hosts: ["10.42.0.1", "10.42.0.77"]}\n', further: [] }
    const hostsFor = (all: typeof nodes) =>
      settingAt(ownOf(inputOf(all, { shared: named }), 1), ['lighthouse', 'hosts'])
    expect(hostsFor(nodes)).toEqual(['10.42.0.1'])
    expect(hostsFor(nodes.slice(1))).toEqual([])
  })

  test('is taken out of what was compiled with it, and a lighthouse that is gone does not stay in it', async () => {
    const first = compileBundle(inputOf(nodes, { shared }))
    const again = await sharedPart(first.data)
    expect(again.further).toEqual([{ path: 'extra/a.txt', content: Uint8Array.from(Buffer.from('a')) }])
    const later = sharedOf(inputOf(nodes.slice(1), { shared: again }))
    expect(later['static_host_map']).toEqual({ '10.42.0.99': ['198.51.100.1:4242'] })
    expect(compileBundle(inputOf(nodes, { shared: again })).sha256).toBe(first.sha256)
  })
})
