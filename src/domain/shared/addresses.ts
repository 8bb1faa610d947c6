import ipaddr from 'ipaddr.js'
import * as z from 'zod'

import { formatNetwork, isFullAddress, overlaps, parseNetwork, type Network } from '../../base/networks.ts'
import type { Problem } from '../../base/issues.ts'
import { addProblem } from './issues.ts'

/** Ranges that machines cannot use to reach each other (RFC 6890; Linux drops packets from and to most of them). */
const reserved: readonly (readonly [network: Network, what: string])[] = [
  [ipaddr.parseCIDR('0.0.0.0/8'), 'stands for “this network”'],
  [ipaddr.parseCIDR('127.0.0.0/8'), 'is every machine’s own'],
  [ipaddr.parseCIDR('169.254.0.0/16'), 'is for one link only'],
  [ipaddr.parseCIDR('224.0.0.0/4'), 'is for multicast'],
  [ipaddr.parseCIDR('240.0.0.0/4'), 'is reserved'],
  [ipaddr.parseCIDR('::1/128'), 'is every machine’s own'],
  [ipaddr.parseCIDR('fe80::/10'), 'is for one link only'],
  [ipaddr.parseCIDR('ff00::/8'), 'is for multicast'],
]

/**
 * Why a network cannot be assigned, as an error; null when it can. A larger one, such as a default route, may contain
 * such ranges.
 */
export function reservedProblem(network: Network): Problem | null {
  const clash = reserved.find(([taken]) => taken[1] <= network[1] && overlaps(taken, network))
  if (!clash) return null
  return { code: 'NOT_ALLOWED', message: `must not be within ${formatNetwork(clash[0])}, which ${clash[1]}` }
}

/** The overlay network of a cluster: IPv4, with room for at least two nodes. */
export const networkRule = z.string().transform((text, context) => {
  const network = parseNetwork(text)
  if (!network) {
    const message = 'must be a network in CIDR notation without host bits, such as 10.42.0.0/16'
    return refuse(context, { code: 'INVALID_FORMAT', message })
  }
  if (network[0].kind() !== 'ipv4') return refuse(context, { code: 'NOT_ALLOWED', message: 'must be an IPv4 network' })
  if (network[1] < 8 || network[1] > 30) {
    return refuse(context, { code: 'OUT_OF_RANGE', message: 'must have a prefix length of 8 to 30' })
  }
  // A prefix of at least 8 contains no reserved range but link-local, which is then within 169.0.0.0/8.
  const problem = reservedProblem(network)
  return problem === null ? formatNetwork(network) : refuse(context, problem)
})

/** The address at which the underlay reaches a lighthouse. */
export const publicIpRule = z.string().transform((text, context) => {
  if (!isFullAddress(text)) {
    return refuse(context, { code: 'INVALID_FORMAT', message: 'must be an IPv4 or IPv6 address' })
  }
  const address = ipaddr.process(text)
  const range = address.range()
  if (range === 'unspecified' || range === 'multicast' || range === 'loopback' || range === 'broadcast') {
    const message = `must be an address that other machines can reach, not a ${range} one`
    return refuse(context, { code: 'NOT_ALLOWED', message })
  }
  const problem = reservedProblem([address, address.kind() === 'ipv4' ? 32 : 128])
  return problem === null ? address.toString() : refuse(context, problem)
})

function refuse(context: z.RefinementCtx, problem: Problem): never {
  addProblem(context, problem)
  return z.NEVER
}
