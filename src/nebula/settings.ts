import * as z from 'zod'

import type { SettingProblem } from './agent-settings.ts'
import type { Settings } from './merge.ts'
import {
  address,
  anything,
  boolean,
  cidr,
  duration,
  endpoint,
  fingerprint,
  numberIn,
  oneOf,
  port,
  ports,
  section,
  word,
} from './values.ts'

export { agentSettings, type SettingProblem } from './agent-settings.ts'

/** Nothing smaller carries IP; nothing larger fits into a packet. */
const mtu = numberIn(500, 65_535)
const count = numberIn(0, 2 ** 31 - 1)
const allowList = z.record(z.string(), anything)

const firewallRule = section({
  port: ports,
  code: ports,
  proto: oneOf('any', 'tcp', 'udp', 'icmp'),
  host: word,
  group: word,
  groups: z.union([word, z.array(word)]),
  cidr: z.union([z.literal('any'), cidr]),
  local_cidr: z.union([z.literal('any'), cidr]),
  ca_name: word,
  ca_sha: fingerprint,
})

const gateways = z.array(section({ gateway: address, weight: numberIn(1, 2 ** 31 - 1) }))

const unsafeRoute = z.strictObject({
  route: cidr,
  via: z.union([address, gateways], 'must be an address such as 10.42.0.5, or a list of gateways'),
  mtu: mtu.nullish(),
  metric: count.nullish(),
  install: boolean.nullish(),
})

/**
 * The settings that Nebula 1.6 to 1.11 reads (its examples/config.yml and source), as far as `nebula -test` does not
 * check them itself. The agent's settings are known here, and refused elsewhere.
 */
const schema = section({
  pki: section({
    ca: word,
    cert: word,
    key: word,
    blocklist: z.array(fingerprint),
    disconnect_invalid: boolean,
    initiating_version: numberIn(1, 2),
  }),
  static_host_map: z.record(address, z.union([z.array(endpoint), endpoint], 'must be a list of addresses with ports')),
  static_map: section({ cadence: duration, network: oneOf('ip', 'ip4', 'ip6'), lookup_timeout: duration }),
  lighthouse: section({
    am_lighthouse: boolean,
    serve_dns: boolean,
    dns: section({ host: word, port }),
    interval: count,
    hosts: z.array(address),
    remote_allow_list: allowList,
    remote_allow_ranges: allowList,
    local_allow_list: allowList,
    advertise_addrs: z.array(endpoint),
    calculated_remotes: allowList,
    query_buffer: count,
  }),
  listen: section({
    host: word,
    port,
    batch: count,
    read_buffer: count,
    write_buffer: count,
    send_recv_error: oneOf('always', 'never', 'private'),
    accept_recv_error: oneOf('always', 'never', 'private'),
    so_mark: count,
    windows_bypass_wdf: boolean,
    rebind_on_network_change: boolean,
  }),
  routines: numberIn(1, 1024),
  punchy: section({
    punch: boolean,
    respond: boolean,
    delay: duration,
    respond_delay: duration,
    target_all_remotes: boolean,
  }),
  cipher: oneOf('aes', 'chachapoly'),
  preferred_ranges: z.array(cidr),
  local_range: cidr,
  relay: section({ relays: z.array(address), am_relay: boolean, use_relays: boolean }),
  tun: section({
    disabled: boolean,
    dev: word,
    drop_local_broadcast: boolean,
    drop_multicast: boolean,
    tx_queue: count,
    mtu,
    routes: z.array(z.strictObject({ mtu, route: cidr })),
    unsafe_routes: z.array(unsafeRoute),
    use_system_route_table: boolean,
    use_system_route_table_buffer_size: count,
    network_category: oneOf('private', 'public', 'domain', 'unset'),
    windows_bypass_wdf: boolean,
    user: boolean,
  }),
  logging: section({
    level: oneOf('panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace'),
    format: oneOf('json', 'text'),
    disable_timestamp: boolean,
    timestamp_format: word,
  }),
  handshakes: section({
    try_interval: duration,
    retries: count,
    wait_rotation: count,
    query_buffer: count,
    trigger_buffer: count,
  }),
  tunnels: section({ drop_inactive: boolean, inactivity_timeout: duration }),
  timers: section({
    connection_alive_interval: count,
    pending_deletion_interval: count,
    requery_wait_duration: duration,
  }),
  counters: section({ try_promote: count, requery_every_packets: count }),
  firewall: section({
    outbound_action: oneOf('drop', 'reject'),
    inbound_action: oneOf('drop', 'reject'),
    default_local_cidr_any: boolean,
    conntrack: section({
      tcp_timeout: duration,
      udp_timeout: duration,
      default_timeout: duration,
      max_connections: count,
      routine_cache_timeout: duration,
    }),
    outbound: z.array(firewallRule),
    inbound: z.array(firewallRule),
  }),
  stats: anything,
  sshd: anything,
  ctl: anything,
  control: anything,
})

/**
 * What is wrong with a configuration, or a part of one, that `nebula -test` would let pass: unknown settings, and
 * ports, MTUs, routes, relays, fingerprints and so on that are invalid. Empty when nothing is wrong.
 */
export function checkSettings(config: Settings): SettingProblem[] {
  const { success, error } = schema.safeParse(config)
  return success ? [] : error.issues.flatMap(problemsOf)
}

function problemsOf(issue: z.core.$ZodIssue): SettingProblem[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: 'is not a setting of Nebula' }))
  }
  if (issue.code === 'invalid_key') return [{ path, message: issue.issues[0]?.message ?? issue.message }]
  // Of several readings of a value, the one that got furthest has the most useful message.
  const further = issue.code === 'invalid_union' ? issue.errors.flat().find((one) => one.path.length > 0) : undefined
  if (further) return problemsOf({ ...further, path: [...issue.path, ...further.path] })
  const first = issue.code === 'invalid_union' ? issue.errors.flat().at(-1) : undefined
  return [{ path, message: messageOf(first ?? issue) }]
}

/** The library's messages about types speak of JavaScript's types. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return `must be ${{ array: 'a list', object: 'a section', record: 'a section', string: 'a text' }[String(issue.expected)] ?? `a ${issue.expected}`}`
  }
  return issue.message
}
