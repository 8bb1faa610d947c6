import { describe, expect, test } from '@jest/globals'
import { firewallOf } from '../../src/domain/bundles/yaml/firewall-section.ts'
import { inspectBundle } from '../../src/domain/bundles/inspect/inspect.ts'
import { agentSettings } from '../../src/nebula/settings.ts'
import { bundleOf, configOf, refusal } from './support.ts'

async function configRefusal(content: string): Promise<string> {
  return refusal(await configOf(content))
}

describe('what belongs to the agent is refused', () => {
  test.each(agentSettings.map(({ path, reason }) => [path.join('.'), path, reason] as const))(
    '%s, with the reason',
    async (name, path, reason) => {
      const yaml = path.reduceRight<string>((inner, key) => `{${key}: ${inner}}`, '"/etc/shadow"')
      const elsewhere = await bundleOf({ name: 'notes.yml', content: `before: 1\nother: ${yaml}\n` })
      expect(await refusal(elsewhere)).toBe('accepted: config.yml notes.yml')
      expect(await configRefusal(`before: 1\n${yaml.slice(1, -1)}\n`)).toMatch(
        new RegExp(`^ValidationError: input.archive: config.yml: line 2 sets ${name}\\b.*, which the agent decides: `),
      )
      expect(await configRefusal(`${yaml.slice(1, -1)}\n`)).toContain(reason)
    },
  )

  test.each([
    ['in braces', 'pki: {key: /etc/shadow}\n'],
    ['in quotes and escapes', '"p\\x6bi":\n  \'key\': /etc/shadow\n'],
    ['in the long form of keys', '? pki\n: ? key\n  : /etc/shadow\n'],
    ['through an alias', 'x: &x {key: /etc/shadow}\npki: *x\n'],
    ['as an alias', 'x: &x /etc/shadow\npki:\n  key: *x\n'],
    ['as an empty text', 'pki: {key: ""}\n'],
    ['as a certificate in place', 'pki:\n  key: |\n    -----BEGIN NEBULA CERTIFICATE-----\n'],
  ])('%s', async (_, content) => {
    expect(await configRefusal(content)).toContain('sets pki.key, which the agent decides')
  })

  test('in any file, since Nebula merges them', async () => {
    for (const name of ['nodes/a.yml', 'extra/sshd.yaml']) {
      const archive = await bundleOf({ name, content: 'tun: {}\nsshd:\n  enabled: true\n' })
      expect(await refusal(archive)).toContain(`${name}: line 2 sets sshd, which the agent decides: it opens a shell`)
    }
  })
})

test('what shapes the network is not refused', async () => {
  const config = `
pki:
  blocklist: [c99d4e650533b92061b09918e838a5a0a6aaee21eed1d12fd937682865936c72]
  disconnect_invalid: true
static_host_map:
  "10.42.0.1": ["203.0.113.7:4242"]
lighthouse: {am_lighthouse: false, hosts: [10.42.0.1], serve_dns: false}
listen: {host: "::", port: 4242}
relay: {relays: [10.42.0.2], use_relays: true}
tun: {dev: nebula1, mtu: 1300, unsafe_routes: [{route: 192.168.7.0/24, via: 10.42.0.3}]}
logging: {level: debug, format: json}
sshd:
  # enabled: true
firewall:
  outbound: [{port: any, proto: any, host: any}]
  inbound: [{port: 443, proto: tcp, groups: [laptop]}]
`
  expect(await configRefusal(config)).toBe('accepted: config.yml')
})

test('the log keeps what the agent reads', async () => {
  expect(await configRefusal('logging: {level: error}\n')).toContain(
    'line 1 sets logging.level to something other than info, debug, trace',
  )
  expect(await configRefusal('logging: {format: text}\n')).toContain('sets logging.format to something other than json')
})

describe('what Nebula does not know or cannot use is refused', () => {
  test.each([
    ['line 2 sets lighthous, which is not a setting of Nebula', 'tun: {}\nlighthous: {}\n'],
    ['line 3 sets tun.mtu, which must be a whole number from 500 to 65535', 'tun:\n  dev: a\n  mtu: 1\n'],
    ['line 1 sets listen.port, which must be a whole number', 'listen: {port: 65536}\n'],
    ['line 3 sets pki.blocklist.1, which must be a fingerprint', `pki:\n  blocklist: [${'a'.repeat(64)},\n    b]\n`],
    ['line 2 sets tun.unsafe_routes.0.via, which', 'tun: {unsafe_routes: [\n  {route: 1.0.0.0/8, via: x}]}\n'],
    [
      'line 2 sets relay.relays.0, which must be an address',
      'lighthouse: {hosts: ["10.42.0.1"]}\nrelay: {relays: [x]}\n',
    ],
  ])('%s', async (message, content) => {
    expect(await configRefusal(content)).toContain(message)
  })

  test('in the file that Nebula runs on, not in what lies beside it', async () => {
    expect(await refusal(await bundleOf({ name: 'notes.yaml', content: 'anything: goes\n' }))).toContain('accepted')
  })
})

describe('firewall rules become the cluster’s', () => {
  const firewall = async (content: string) => (await inspectBundle('somebody', await configOf(content))).firewall
  const open = { port: 'any', proto: 'any', host: 'any' }

  test('in Orrery’s spelling', async () => {
    const content = `
firewall:
  outbound: [{port: any, proto: any, host: any}]
  inbound:
    - {port: 443, proto: tcp, groups: [a, b], ca_sha: ${'ab'.repeat(32)}}
    - {port: 0, proto: icmp, groups: a, local_cidr: 10.7.1.1/16, ca_name: acme, host:}
    - {port: 1, proto: udp, cidr: 192.168.1.7/24}
`
    const section = await firewall(content)
    expect(section.rules).toEqual({
      outbound: [open],
      inbound: [
        { port: '443', proto: 'tcp', groups: ['a', 'b'], caSha: 'ab'.repeat(32) },
        { port: 'any', proto: 'icmp', groups: ['a'], localCidr: '10.7.0.0/16', caName: 'acme' },
        { port: '1', proto: 'udp', cidr: '192.168.1.0/24' },
      ],
    })
    expect(await firewallOf('somebody', content)).toEqual(section)
  })

  test('one side alone closes the other; none leaves the cluster’s as they are', async () => {
    expect((await firewall('firewall: {outbound: [{port: any, proto: any, host: any}]}\n')).rules).toEqual({
      inbound: [],
      outbound: [open],
    })
    expect((await firewall('firewall: {conntrack: {tcp_timeout: 1m}}\n')).rules).toBeNull()
    expect((await firewall('tun: {}\n')).rules).toBeNull()
  })

  test.each([
    ['1.6.0', 'tun: {}'],
    ['1.6.0', 'firewall: {default_local_cidr_any: true, inbound: [{port: 1, proto: tcp, group: a}]}'],
    ['1.9.0', 'firewall: {inbound: [{port: 1, proto: tcp, group: a, local_cidr: 10.1.0.0/16}]}'],
    ['1.9.0', 'firewall: {default_local_cidr_any: false}'],
  ])('and say that they need Nebula %s: %s', async (version, content) => {
    expect((await firewall(`${content}\n`)).minimumNebulaVersion).toBe(version)
  })

  test.each([
    [
      'config.yml: firewall.inbound.0.code: is not a part of a rule that Orrery keeps',
      '{port: 1, code: 1, proto: tcp, host: any}',
    ],
    ['config.yml: firewall.inbound.0: must say whom it is for', '{port: 1, proto: tcp}'],
    [
      'config.yml: firewall.inbound.0: takes one of host, group, groups and cidr',
      '{port: 1, proto: tcp, group: a, groups: [b]}',
    ],
    ['config.yml: firewall.inbound.0.cidr: must be a network', '{port: 1, proto: tcp, cidr: any}'],
    ['config.yml: firewall.inbound.0.cidr: has 0.0.0.0 in it', '{port: 1, proto: tcp, cidr: 1.2.3.4/4}'],
    [
      'config.yml: firewall.inbound.0.localCidr: must be a network of IPv4',
      '{port: 1, proto: tcp, local_cidr: "fd::/8"}',
    ],
    ['config.yml: firewall.inbound.0.port: must be "any": ICMP has no ports', '{port: 1, proto: icmp, host: any}'],
    ['config.yml: line 1 sets firewall.inbound.0.proto, which must be one of', '{port: 1, proto: sctp, host: any}'],
  ])('unless Orrery cannot keep them: %s', async (message, rule) => {
    expect(await configRefusal(`firewall: {inbound: [${rule}]}\n`)).toContain(`input.archive: ${message}`)
  })
})
