import ipaddr from 'ipaddr.js'
import * as z from 'zod'

import { ValidationError } from '../../base/errors.ts'
import type { Problem, ValidationIssue } from '../../base/issues.ts'
import { breaks } from '../../base/pieces.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster, Node } from '../../db/client/types.ts'
import { formatNetwork, overlaps, parseNetwork, type Network } from '../../base/networks.ts'
import { reservedProblem } from '../shared/addresses.ts'
import { addProblem } from '../shared/issues.ts'
import { listNodesWithRoutes } from './nodes.ts'

/** A network that is reachable behind a node (Nebula's unsafe routes), in canonical text. */
export const routeRule = z.string().transform((text, context) => {
  const network = parseNetwork(text)
  const problem = network === null ? noNetwork : isMapped(network) ? mapped : reservedProblem(network)
  if (network !== null && problem === null) return formatNetwork(network)
  addProblem(context, problem ?? noNetwork)
  return z.NEVER
})

const noNetwork: Problem = {
  code: 'INVALID_FORMAT',
  message: 'must be a network in CIDR notation without host bits, such as 192.168.1.0/24',
}
const mapped: Problem = { code: 'INVALID_FORMAT', message: 'must be written as the IPv4 network that it is' }

/** `::ffff:10.0.0.0/104` means 10.0.0.0/8 and would bypass every comparison with it. */
const isMapped = ([address]: Network): boolean => address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()

/** Whether a route takes all traffic: `0.0.0.0/0` or `::/0`. */
export const isDefaultRoute = (route: string): boolean => route.endsWith('/0')

/**
 * Refuses routes into the overlay itself. An allowed default route contains everything: the overlay's own network takes
 * precedence as the longer prefix.
 * @throws ValidationError at each such route
 */
export function assertOutsideOverlay(routes: readonly string[], { networkCidr }: Cluster): void {
  const overlay = parsed(networkCidr)
  const issues = routes.flatMap((route, index): ValidationIssue[] =>
    !isDefaultRoute(route) && overlaps(parsed(route), overlay)
      ? [
          {
            path: ['input', 'routes', String(index)],
            code: 'OVERLAPS',
            message: `must not overlap the cluster's network, ${networkCidr}`,
          },
        ]
      : [],
  )
  const [first, ...rest] = issues
  if (first) throw new ValidationError([first, ...rest])
}

/**
 * Refuses routes that no certificate of the cluster can hold; without them in the certificate, other nodes drop packets
 * from there. Nebula accepts IPv6 networks only in version 2, and only for a node with an IPv6 overlay address
 * (cert/cert_v2.go, `validate`); Orrery's overlay addresses are IPv4.
 * @throws ValidationError at each such route
 */
export function assertIpv4(routes: readonly string[], { certificateVersion }: Cluster): void {
  const message =
    certificateVersion === 1
      ? 'is IPv6: certificates of version 1 hold IPv4 only'
      : 'is IPv6: Nebula takes it behind nodes with an IPv6 address only, and the overlay is IPv4'
  const issues = routes.flatMap((route, index): ValidationIssue[] =>
    route.includes(':') ? [{ path: ['input', 'routes', String(index)], code: 'NOT_ALLOWED', message }] : [],
  )
  const [first, ...rest] = issues
  if (first) throw new ValidationError([first, ...rest])
}

/** The routes of a row; only this layer writes them, as a list of canonical strings. */
export const routesOf = ({ routes }: Pick<Gateway, 'routes'>): readonly string[] => routes as string[]

/** A node with the networks behind it, as far as they are compared. */
interface Gateway {
  readonly id: string
  readonly routes: unknown
}

/**
 * A route of a node that shares addresses with another node's route: redundant gateways, or one network inside the
 * other.
 */
export interface RouteOverlap<Other = Node> {
  readonly route: string
  readonly node: Other
  readonly nodeRoute: string
}

/** The maximum number of reported overlaps: longer lists are not read. */
const mostOverlaps = 1000

/** Where a node's routes overlap with those of other nodes of its cluster: legitimate, and worth knowing. */
export const listRouteOverlaps = async (scope: Scope, node: Node): Promise<RouteOverlap[]> =>
  routesOf(node).length === 0 ? [] : overlapsAmong(node, await listNodesWithRoutes(scope.db, node.clusterId))

/** The same among nodes that were already read: at most 1000 overlaps. */
export async function overlapsAmong<Other extends Gateway>(
  node: Gateway,
  others: readonly Other[],
): Promise<RouteOverlap<Other>[]> {
  const own = routesOf(node).map(span)
  const found: RouteOverlap<Other>[] = []
  const pause = breaks()
  for (const other of others) {
    await pause()
    if (other.id === node.id) continue
    for (const { route: nodeRoute, first, last } of routesOf(other).map(span)) {
      const met = own.filter((one) => one.first <= last && first <= one.last)
      found.push(...met.map(({ route }) => ({ route, node: other, nodeRoute })))
    }
    if (found.length >= mostOverlaps) break
  }
  return found.slice(0, mostOverlaps)
}

interface Span {
  readonly route: string
  readonly first: string
  readonly last: string
}

/** A route's first and last address as strings that sort like the addresses; the two families never overlap. */
function span(route: string): Span {
  const [address, prefix] = parsed(route)
  const bits = address.toByteArray().map((byte) => byte.toString(2).padStart(8, '0'))
  const network = `${address.kind()} ${bits.join('').slice(0, prefix)}`
  const length = address.kind().length + 1 + bits.length * 8
  return { route, first: network.padEnd(length, '0'), last: network.padEnd(length, '1') }
}

function parsed(cidr: string): Network {
  const network = parseNetwork(cidr)
  if (!network) throw new Error(`a stored network is not one: ${cidr}`)
  return network
}
