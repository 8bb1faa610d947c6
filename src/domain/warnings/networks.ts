import ipaddr from 'ipaddr.js'

import { intervalOf, isWithin } from '../../base/networks.ts'
import type { ChangeWarning } from './warning.ts'

/**
 * Networks that have no single owner: private networks (RFC 1918), those of providers' NATs (RFC 6598), and those for
 * examples and measurements (RFC 5737, RFC 2544). All other addresses are assigned on the Internet.
 */
const sharedUse = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '198.18.0.0/15',
].map(intervalOf)

/** A public network: nodes can no longer reach the machines on the Internet that have these addresses. */
export function publicNetwork(cidr: string, path: readonly string[]): ChangeWarning[] {
  const network = intervalOf(cidr)
  if (network === null || sharedUse.some((outer) => isWithin(network, outer))) return []
  const message = `${cidr} is public address space: nodes cannot reach the machines of the Internet that have these addresses. Unless it is your own, take a network within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10`
  return [{ code: 'PUBLIC_NETWORK', path, message }]
}

/** Whether an address is reachable only from the same site (RFC 1918, RFC 6598, RFC 4193). */
export const isOfSite = (address: string): boolean =>
  ['private', 'carrierGradeNat', 'uniqueLocal'].includes(ipaddr.process(address).range())
