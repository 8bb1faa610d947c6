import { contains, isNetworkText, parseNetwork, withoutHostBits, type Network } from '../../base/networks.ts'
import { isSettings, settingAt, type Settings } from '../merge.ts'
import { isAtLeast } from '../version.ts'
import { networksBehind, addressesOf, type Machine, type Packet } from './machine.ts'

/** A packet as the firewall of one machine sees it. */
interface Passage {
  readonly side: 'inbound' | 'outbound'
  /** The machine whose firewall decides. */
  readonly own: Machine
  readonly peer: Machine
  readonly ownAddress: string
  readonly peerAddress: string
  readonly packet: Packet
}

/**
 * The first rule of a firewall that lets a packet pass, in the form of Nebula's configuration; null when there is none.
 * What each field means, in each version, was found by packets (docs/nebula.md, "The firewall").
 */
export function passingRule(passage: Passage): Settings | null {
  const { own, side } = passage
  const rules = settingAt(own.config, ['firewall', side])
  if (!Array.isArray(rules)) return null
  return (rules as readonly unknown[]).filter(isSettings).find((rule) => lets(rule, passage)) ?? null
}

const lets = (rule: Settings, passage: Passage): boolean =>
  isOfProtocol(rule, passage.packet) && isOfPort(rule, passage) && isOfCa(rule, passage.peer) && isOfPeer(rule, passage)

const isOfProtocol = ({ proto }: Settings, { protocol }: Packet): boolean => proto === 'any' || proto === protocol

/** `code` is Nebula's other name of `port`. Before 1.11, ICMP has no port, so that only a rule for any port is for it. */
function isOfPort({ port, code, proto }: Settings, { own: { version }, packet }: Passage): boolean {
  const text = String(isSet(port) ? port : (code ?? ''))
  if (text === 'any' || text === '0') return true
  if (packet.protocol === 'icmp') return proto === 'icmp' && isAtLeast(version, '1.11.0')
  const [, low = '', high = low] = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(text) ?? []
  return low !== '' && packet.port !== null && Number(low) <= packet.port && packet.port <= Number(high)
}

/** The CA's name and its fingerprint are alternatives. */
function isOfCa({ ca_name: name, ca_sha: sha }: Settings, { certificates, cas }: Machine): boolean {
  if (!isSet(name) && !isSet(sha)) return true
  const issuers = new Set(certificates.map(({ issuer }) => issuer))
  return cas.some((ca) => issuers.has(ca.fingerprint) && (ca.name === name || ca.fingerprint === sha))
}

function isOfPeer(rule: Settings, passage: Passage): boolean {
  const { version } = passage.own
  const isLocal = isOfOwnAddress(rule, passage)
  // In 1.7 and 1.8, the own address is one more alternative.
  if (isSet(rule['local_cidr']) && isAtLeast(version, '1.7.0') && !isAtLeast(version, '1.9.0')) {
    return isLocal || (namesPeers(rule) && isPeer(rule, passage))
  }
  return isLocal && isPeer(rule, passage)
}

/** `host`, `group`, `groups` and `cidr` are alternatives; a rule without them is for every peer. */
function isPeer(rule: Settings, { own: { version }, peer, peerAddress }: Passage): boolean {
  if (!namesPeers(rule)) return true
  const { host, cidr } = rule
  const groups = groupsOf(rule)
  const held = new Set(peer.certificates.flatMap((certificate) => certificate.groups))
  if (host === 'any' || groups.includes('any')) return true
  if (isSet(host) && peer.certificates.some(({ name }) => name === host)) return true
  if (groups.length > 0 && groups.every((group) => held.has(group))) return true
  return isSet(cidr) && isInRuleNetwork(String(cidr), peerAddress, version)
}

function isOfOwnAddress({ local_cidr: local }: Settings, { own, ownAddress }: Passage): boolean {
  const { version, config } = own
  if (isSet(local)) return isAtLeast(version, '1.7.0') ? isInRuleNetwork(String(local), ownAddress, version) : true
  const setting = settingAt(config, ['firewall', 'default_local_cidr_any'])
  const isForAll = typeof setting === 'boolean' ? setting : !isAtLeast(version, '1.10.0')
  if (isForAll || !isAtLeast(version, '1.9.0') || networksBehind(own).length === 0) return true
  return addressesOf(own).includes(ownAddress)
}

/** Before 1.11, a network with 0.0.0.0 in it, and one of IPv6, are every address. */
function isInRuleNetwork(text: string, address: string, version: string): boolean {
  if (text === 'any') return true
  const network: Network | null = isNetworkText(text) ? parseNetwork(withoutHostBits(text)) : null
  if (network === null) return false
  const isMisread = network[0].kind() === 'ipv6' || network[0].toString() === '0.0.0.0'
  if (isMisread && !isAtLeast(version, '1.11.0')) return true
  return contains(network, address)
}

function groupsOf({ group, groups }: Settings): string[] {
  const listed = Array.isArray(groups) ? groups.map(String) : isSet(groups) ? [String(groups)] : []
  return isSet(group) ? [String(group), ...listed] : listed
}

const namesPeers = (rule: Settings): boolean => isSet(rule['host']) || isSet(rule['cidr']) || groupsOf(rule).length > 0

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== ''
