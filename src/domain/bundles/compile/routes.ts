import { parseCertificates } from '../../../pki/certificate.ts'
import type { CompileNode } from './compile-input.ts'

/** One network behind the overlay, and the nodes that lead there, by address. */
export interface UnsafeRoute {
  readonly route: string
  readonly gateways: readonly string[]
}

/**
 * The networks behind a cluster's nodes, sorted. Only those that a node's certificate holds: others drop what comes
 * from networks that the certificate does not name (and a certificate of version 1 has no room for IPv6).
 */
export function unsafeRoutes(nodes: readonly CompileNode[]): UnsafeRoute[] {
  const gateways = new Map<string, string[]>()
  for (const { routes, certificate, overlayIp } of nodes) {
    if (routes.length === 0 || certificate === null) continue
    const held = new Set(parseCertificates(certificate).flatMap(({ unsafeNetworks }) => unsafeNetworks))
    for (const route of routes) {
      if (held.has(route)) gateways.set(route, [...(gateways.get(route) ?? []), overlayIp])
    }
  }
  return [...gateways]
    .map(([route, ips]) => ({ route, gateways: ips.toSorted() }))
    .sort((a, b) => (a.route < b.route ? -1 : 1))
}

/**
 * As Nebula's `tun.unsafe_routes` says it. Several gateways of one network are for Nebula 1.10 and newer; before it, a
 * network has one, and the first by address is as good as any.
 */
export const writeRoutes = (routes: readonly UnsafeRoute[], certificateVersion: 1 | 2) =>
  routes.map(({ route, gateways }) => {
    const [via = ''] = gateways
    return certificateVersion === 1 || gateways.length === 1
      ? { route, via }
      : { route, via: gateways.map((gateway) => ({ gateway })) }
  })

/** The routes of a node that has networks behind it: without those, or it would send into the overlay what is its own. */
export const routesBeside = (routes: readonly UnsafeRoute[], node: CompileNode): UnsafeRoute[] =>
  routes.flatMap(({ route, gateways }) =>
    node.routes.includes(route) || gateways.includes(node.overlayIp) ? [] : [{ route, gateways }],
  )
