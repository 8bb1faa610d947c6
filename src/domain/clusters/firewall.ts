import * as z from 'zod'

import { formatNetwork, parseNetwork, type Network } from '../../base/networks.ts'
import type { Cluster } from '../../db/client/types.ts'
import type { Settings } from '../../nebula/merge.ts'
import { addProblem, rule as says } from '../shared/issues.ts'
import { nameRule } from '../shared/rules.ts'

/**
 * Nebula's firewall (its configuration reference, `firewall`): the traffic that a node accepts and sends inside the
 * overlay. Traffic that no rule allows is dropped. Nebula's own check misses several of the mistakes that are refused
 * here.
 */
export interface Firewall {
  readonly inbound: readonly FirewallRule[]
  readonly outbound: readonly FirewallRule[]
}

export type FirewallRule = z.infer<typeof ruleShape>

/** All traffic inside the overlay is allowed: the firewall of a new cluster. */
export const openFirewall: Firewall = {
  inbound: [{ port: 'any', proto: 'any', host: 'any' }],
  outbound: [{ port: 'any', proto: 'any', host: 'any' }],
}

export const protocols = ['any', 'tcp', 'udp', 'icmp'] as const

const portsRule = z
  .string()
  .refine(isPorts, says('INVALID_FORMAT', 'must be "any", "fragment", a port (1 to 65535) or a range such as 200-300'))

function isPorts(text: string): boolean {
  if (text === 'any' || text === 'fragment') return true
  const [, low, high = low] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  return low !== undefined && Number(low) >= 1 && Number(low) <= Number(high) && Number(high) <= 65535
}

const cidrRule = z.string().transform((text, context) => {
  const network = parseNetwork(text)
  if (network === null) {
    addProblem(context, { code: 'INVALID_FORMAT', message: 'must be a network in CIDR notation without host bits' })
    return z.NEVER
  }
  const message = misread(network)
  if (message === null) return formatNetwork(network)
  addProblem(context, { code: 'NOT_ALLOWED', message })
  return z.NEVER
})

/**
 * Why Nebula before 1.11 reads a network as every address (1.6.1 and 1.9.3, tested with packets); null when it does
 * not.
 */
function misread([address, prefix]: Network): string | null {
  if (address.kind() === 'ipv6') return 'must be a network of IPv4: no node has another address in the overlay'
  return address.toString() === '0.0.0.0' && prefix > 0
    ? 'has 0.0.0.0 in it, which Nebula before 1.11 takes for every address: write 0.0.0.0/0 for that, or smaller networks'
    : null
}

/**
 * The ways to specify the peers of a rule. Nebula treats them as alternatives, of which a packet has to match one (1.6
 * to 1.11, tested with packets), and `any` within groups matches every host: a rule with two of them would be wider
 * than it reads.
 */
const whoms = ['host', 'group', 'groups', 'cidr'] as const

const ruleShape = z
  .object({
    port: portsRule,
    proto: z.enum(protocols),
    host: nameRule.optional(),
    group: nameRule.optional(),
    groups: z.array(nameRule).min(1).max(64).optional(),
    cidr: cidrRule.optional(),
    localCidr: cidrRule.optional(),
    caName: nameRule.optional(),
    caSha: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be a fingerprint of 64 hex digits')
      .optional(),
  })
  .refine(
    ({ host, group, groups, cidr, localCidr, caName, caSha }) =>
      [host, group, groups, cidr, localCidr, caName, caSha].some((one) => one !== undefined),
    says('REQUIRED', 'must say whom it is for: host, group, groups, cidr, localCidr, caName or caSha'),
  )
  .refine(
    (rule) => whoms.filter((whom) => rule[whom] !== undefined).length <= 1,
    says(
      'EXCLUSIVE',
      'takes one of host, group, groups and cidr: Nebula lets in whoever meets any of them, so write a rule for each; for a node that is in several groups at once, use groups',
    ),
  )
  .refine(
    ({ groups = [] }) => groups.length <= 1 || !groups.includes('any'),
    says('EXCLUSIVE', 'has "any" among its groups, which to Nebula is everybody: leave it out, or write host: "any"'),
  )
  .refine(
    ({ caName, caSha }) => caName === undefined || caSha === undefined,
    says('EXCLUSIVE', 'takes one of caName and caSha: Nebula lets in whom either CA signed, so write a rule for each'),
  )
  .refine(
    ({ proto, port }) => proto !== 'icmp' || port === 'any',
    says(
      'NOT_ALLOWED',
      'must be "any": ICMP has no ports, and Nebula from 1.11 on lets all of it in whatever the port says',
      ['port'],
    ),
  )

const rules = z.array(ruleShape).max(256, 'must have at most 256 rules')

/** A complete firewall from a caller; keys that GraphQL left null are removed. */
export const firewallRule = z.object({ inbound: rules, outbound: rules })

/** A firewall in the form of Nebula's configuration, without keys that are no rules. */
export const writeFirewall = ({ inbound, outbound }: Firewall): Settings => ({
  inbound: inbound.map(writeRule),
  outbound: outbound.map(writeRule),
})

const writeRule = ({ localCidr, caName, caSha, ...rule }: FirewallRule): Settings => ({
  ...rule,
  ...(localCidr === undefined ? {} : { local_cidr: localCidr }),
  ...(caName === undefined ? {} : { ca_name: caName }),
  ...(caSha === undefined ? {} : { ca_sha: caSha }),
})

/** The firewall in a cluster's row. Only firewalls that passed the rules of this file are stored. */
export const clusterFirewall = ({ firewall }: Pick<Cluster, 'firewall'>): Firewall => firewall as unknown as Firewall
