import { versionHazards, type Difference } from '../../src/nebula/version-hazards.ts'

/** Differences that let no further peer in. */
const otherDifferences: readonly Difference[] = [
  {
    setting: 'firewall.default_local_cidr_any',
    since: '1.10.0',
    consequence: 'default changed, written out',
    meaning:
      'true before (a setting since 1.9), false from then on: rules without local_cidr are for networks behind a node or not',
  },
  {
    setting: 'pki.disconnect_invalid',
    since: '1.8.0',
    consequence: 'default changed, written out',
    meaning: 'false before, true from then on: whether a tunnel ends with its certificate',
  },
  {
    setting: 'local_range',
    since: '1.9.0',
    consequence: 'spelling changed, written anew',
    meaning: 'taken out: preferred_ranges, a list, says the same to all versions',
  },
  {
    setting: 'tun.unsafe_routes.*.via, a list',
    since: '1.10.0',
    consequence: 'spelling changed, written anew',
    meaning: 'several gateways of one network; before, one address, and a list keeps Nebula from starting',
  },
  {
    setting: 'certificates of version 2',
    since: '1.10.0',
    consequence: 'spelling changed, written anew',
    meaning: 'before, a node file has a certificate of version 1 first, and ca.crt none of version 2',
  },
  {
    setting: 'firewall.inbound_action, firewall.outbound_action',
    since: '1.7.0',
    consequence: 'unknown to older, harmless',
    meaning: 'what is not let through is dropped without a word',
  },
  {
    setting: 'firewall.inbound_action, firewall.outbound_action',
    since: '1.11.0',
    consequence: 'behaves otherwise, harmless',
    meaning:
      'from 1.7 to 1.10 each is taken for the other direction; either way nothing is let through: write both alike where versions meet',
  },
  {
    setting: 'ICMP in the firewall',
    since: '1.11.0',
    consequence: 'behaves otherwise, harmless',
    meaning:
      'before, whoever sends a node’s ICMP opens it for ICMP of that node for ten minutes, error messages among them; from then on each echo has its own answer',
  },
  {
    setting: 'pki.blocklist',
    since: '1.7.0',
    consequence: 'behaves otherwise, harmless',
    meaning: 'an open tunnel is cut for it; before, where disconnect_invalid is true, which is written out',
  },
  {
    setting: 'pki.initiating_version',
    since: '1.10.0',
    consequence: 'unknown to older, harmless',
    meaning: 'there is one version of certificates before',
  },
  {
    setting: 'lighthouse.calculated_remotes',
    since: '1.7.0',
    consequence: 'unknown to older, harmless',
    meaning: 'lighthouses are asked',
  },
  {
    setting: 'static_map',
    since: '1.7.0',
    consequence: 'unknown to older, harmless',
    meaning: 'names in static_host_map are looked up once, at the start',
  },
  {
    setting: 'tun.use_system_route_table',
    since: '1.7.0',
    consequence: 'unknown to older, harmless',
    meaning: 'routes of the system are not followed',
  },
  {
    setting: 'tun.use_system_route_table_buffer_size',
    since: '1.10.0',
    consequence: 'unknown to older, harmless',
    meaning: 'the size is the system’s',
  },
  {
    setting: 'punchy.respond_delay',
    since: '1.7.0',
    consequence: 'unknown to older, harmless',
    meaning: 'five seconds',
  },
  {
    setting: 'timers.requery_wait_duration',
    since: '1.8.0',
    consequence: 'unknown to older, harmless',
    meaning: 'lighthouses are asked again at once',
  },
  {
    setting: 'tunnels',
    since: '1.10.0',
    consequence: 'unknown to older, harmless',
    meaning: 'tunnels that nobody uses stay open',
  },
  {
    setting: 'listen.so_mark',
    since: '1.10.0',
    consequence: 'unknown to older, harmless',
    meaning: 'packets are not marked',
  },
  {
    setting: 'listen.accept_recv_error',
    since: '1.10.0',
    consequence: 'unknown to older, harmless',
    meaning: 'a peer that does not know a tunnel is believed',
  },
]

/**
 * The differences between Nebula 1.6 and 1.11 in what Orrery compiles or lets through in uploads. Sources: Nebula's
 * change log, its examples/config.yml, and packets. The settings that a running Nebula reloads are in `action.ts`.
 */
export const versionDifferences: readonly Difference[] = [...versionHazards, ...otherDifferences]
