import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'

import type { Settings } from '../../src/nebula/merge.ts'
import { findAgentSettings } from '../../src/nebula/agent-settings.ts'
import { checkSettings } from '../../src/nebula/settings.ts'

const problems = (yaml: string): string[] =>
  checkSettings(parse(yaml) as Settings).map(({ path, message }) => `${path.join('.')} ${message}`)

/** What Nebula's own example and its documentation show. */
const everything = `
pki: {ca: ca.crt, cert: a.crt, key: a.key, blocklist: [${'c9'.repeat(32)}], disconnect_invalid: yes, initiating_version: 1}
static_host_map: {"192.168.100.1": ["100.64.22.11:4242", "[2001:db8::1]:4242", "host.example:4242"], "fd00::1": "a:1"}
static_map: {cadence: 30s, network: ip4, lookup_timeout: 250ms}
lighthouse:
  am_lighthouse: false
  serve_dns: true
  dns: {host: 0.0.0.0, port: 53}
  interval: 60
  hosts: ["192.168.100.1"]
  remote_allow_list: {"172.16.0.0/12": false}
  local_allow_list: {interfaces: {"docker.*": false}, "10.0.0.0/8": true}
  advertise_addrs: ["1.1.1.1:4242", "1.2.3.4:0"]
  calculated_remotes: {10.0.10.0/24: [{mask: 192.168.1.0/24, port: 4242}]}
listen: {host: "::", port: "4242", batch: 64, read_buffer: 10485760, send_recv_error: always, so_mark: 0}
routines: 1
punchy: {punch: true, respond: y, delay: 1s, respond_delay: 5s}
cipher: aes
preferred_ranges: ["172.16.0.0/24"]
relay: {relays: ["192.168.100.1"], am_relay: false, use_relays: true}
tun:
  disabled: false
  dev: nebula1
  tx_queue: 500
  mtu: 1300
  routes:
  unsafe_routes:
    - {route: 172.16.1.0/24, via: 192.168.100.99, mtu: 1300, metric: 100, install: true}
    - {route: 192.168.87.0/24, via: [{gateway: 10.0.0.1, weight: 10}, {gateway: 10.0.0.2}]}
logging: {level: info, format: text, disable_timestamp: true}
handshakes: {try_interval: 100ms, retries: 20, trigger_buffer: 64}
tunnels: {drop_inactive: false, inactivity_timeout: 10m}
stats: {type: prometheus, listen: 127.0.0.1:8080}
firewall:
  outbound_action: drop
  conntrack: {tcp_timeout: 12m, udp_timeout: 3m, default_timeout: 10m}
  outbound: [{port: any, proto: any, host: any}]
  inbound:
    - {port: 443, proto: tcp, groups: [laptop, home]}
    - {port: 200-901, proto: udp, cidr: 0.0.0.0/0, ca_sha: ${'ab'.repeat(32)}}
    - {port: 0, proto: icmp, group: any, local_cidr: 192.168.100.1/24, ca_name: acme}
`

describe("what Nebula's own check misses", () => {
  test('is not found where nothing is wrong', () => {
    expect(problems(everything)).toEqual([])
  })

  test.each([
    ['lighthouse.am_lighthous is not a setting of Nebula', 'lighthouse: {am_lighthous: true}'],
    ['lighthous is not a setting of Nebula', 'lighthous: {}'],
    ['tun.unsafe_routes.0.route must be a network', 'tun: {unsafe_routes: [{route: 192.168.1.0, via: 10.0.0.1}]}'],
    ['tun.unsafe_routes.0.via must be an address', 'tun: {unsafe_routes: [{route: 192.168.1.0/24, via: gateway}]}'],
    ['tun.unsafe_routes.0.via', 'tun: {unsafe_routes: [{route: 192.168.1.0/24}]}'],
    ['tun.unsafe_routes.0.vai is not a setting', 'tun: {unsafe_routes: [{route: 1.0.0.0/8, via: 1.1.1.1, vai: 1}]}'],
    ['tun.unsafe_routes.0.mtu must be a whole', 'tun: {unsafe_routes: [{route: 1.0.0.0/8, via: 1.1.1.1, mtu: 7}]}'],
    ['tun.mtu must be a whole number from 500 to 65535', 'tun: {mtu: -1}'],
    ['tun.mtu must be a whole number', 'tun: {mtu: big}'],
    ['relay.relays.1 must be an address', 'relay: {relays: [10.0.0.1, not-an-ip]}'],
    ['relay.relays must be a list', 'relay: {relays: 10.0.0.1}'],
    ['lighthouse.hosts.0 must be an address', 'lighthouse: {hosts: ["203.0.113.7:4242"]}'],
    ['listen.port must be a whole number from 0 to 65535', 'listen: {port: 65536}'],
    ['firewall.inbound.0.port must be any', 'firewall: {inbound: [{port: 99999999, proto: any, host: any}]}'],
    ['firewall.inbound.0.port must be any', 'firewall: {inbound: [{port: 300-200, proto: any, host: any}]}'],
    ['firewall.outbound.0.proto must be one of', 'firewall: {outbound: [{port: 1, proto: sctp, host: any}]}'],
    ['pki.blocklist.0 must be a fingerprint', 'pki: {blocklist: [abc]}'],
    ['static_host_map.10.0.0.1.0 must be an address or name', 'static_host_map: {10.0.0.1: ["1.2.3.4"]}'],
    ['static_host_map.host must be an address', 'static_host_map: {host: ["1.2.3.4:1"]}'],
    ['punchy must be a section', 'punchy: true'],
    ['punchy.punch must be true or false', 'punchy: {punch: 1s}'],
    ['punchy.punch must be true or false', 'punchy: {punch: on}'],
    ['handshakes.try_interval must be a time', 'handshakes: {try_interval: 100}'],
    ['cipher must be one of aes, chachapoly', 'cipher: des'],
  ])('%s', (message, yaml) => {
    expect(problems(yaml).join('\n')).toContain(message)
  })

  test('is found all at once', () => {
    expect(problems('a: 1\nb: 2\ntun: {mtu: 1}')).toHaveLength(3)
  })
})

test("what is the agent's is named, with the reason", () => {
  const config = parse(
    'sshd: {enabled: true}\npki: {key: /etc/shadow}\nlogging: {level: error, format: json}\nstats:',
  ) as Settings
  expect(findAgentSettings(config).map(({ path }) => path.join('.'))).toEqual(['pki.key', 'sshd', 'logging.level'])
})
