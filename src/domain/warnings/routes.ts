import { intervalOf, meet } from '../../base/networks.ts'
import type { Node } from '../../db/client/types.ts'
import { isDefaultRoute, overlapsAmong, routesOf } from '../nodes/routes.ts'
import type { ClusterFacts } from './facts.ts'
import { publicNetwork } from './networks.ts'
import { mostWarnings, several, type ChangeWarning } from './warning.ts'

/** Warnings about new routes of a node. */
export async function routeWarnings(cluster: ClusterFacts, node: Node): Promise<ChangeWarning[]> {
  const routes = routesOf(node)
  if (routes.length === 0) return []
  const path = (route: string) => ['input', 'routes', String(routes.indexOf(route))]
  return [
    ...routes.flatMap((route) =>
      isDefaultRoute(route) ? defaultRoute(path(route)) : publicNetwork(route, path(route)),
    ),
    ...(await lighthousesBehind(cluster, routes, path)),
    ...(await overlapping(cluster, node, path)),
  ].slice(0, mostWarnings)
}

function defaultRoute(path: readonly string[]): ChangeWarning[] {
  const message =
    'takes all traffic of the other nodes, the packets in which Nebula itself travels among them: unless their machines route those past the overlay, they lose their lighthouses'
  return [{ code: 'DEFAULT_ROUTE', path, message }]
}

async function lighthousesBehind(
  cluster: ClusterFacts,
  routes: readonly string[],
  path: (route: string) => string[],
): Promise<ChangeWarning[]> {
  const narrow = routes.filter((route) => !isDefaultRoute(route))
  const lighthouses = (await cluster.lighthouses()).flatMap(({ name, lighthousePublicIp: address }) =>
    address === null ? [] : [{ name, place: intervalOf(address) }],
  )
  return narrow.flatMap((route) => {
    const interval = intervalOf(route)
    const behind = lighthouses.filter(({ place }) => meet(interval, place)).map(({ name }) => name)
    if (behind.length === 0) return []
    const message = `${route} holds the public address of ${several(behind)}: nodes would look for that lighthouse through the overlay, which they cannot enter without it. Take a narrower network`
    return [{ code: 'LIGHTHOUSE_BEHIND_ROUTE' as const, path: path(route), message }]
  })
}

/** One warning for each of the node's routes, for any number of other nodes. */
async function overlapping(
  cluster: ClusterFacts,
  node: Node,
  path: (route: string) => string[],
): Promise<ChangeWarning[]> {
  const { certificateVersion } = await cluster.cluster()
  const { nodes } = await cluster.gateways()
  const others = new Map<string, { same: string[]; all: string[] }>()
  for (const { route, node: other, nodeRoute } of await overlapsAmong(node, nodes)) {
    const met = others.get(route) ?? { same: [], all: [] }
    met.all.push(other.name)
    if (nodeRoute === route) met.same.push(other.name)
    others.set(route, met)
  }
  return [...others].map(([route, { same, all }]) => {
    const message =
      same.length === 0
        ? `${route} shares addresses with a route of ${several([...new Set(all)])}: the longer prefix has them`
        : `${route} is behind ${several(same)} too` +
          (certificateVersion === 1
            ? ': with certificates of version 1, all nodes send through the one with the lowest overlay address alone'
            : ': nodes with Nebula 1.10 and newer share their traffic among them')
    return { code: 'ROUTE_TWICE' as const, path: path(route), message }
  })
}
