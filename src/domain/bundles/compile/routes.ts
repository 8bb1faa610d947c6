import { parseCertificates } from '../../../pki/certificate.ts'
import type { CompileNode } from './compile-input.ts'

/** One network behind nodes of the cluster, and these gateways by address. */
export interface UnsafeRoute {
  readonly route: string
  readonly gateways: readonly string[]
}

/**
 * The networks behind a cluster's nodes, sorted. Only networks in a node's certificate count: other nodes drop packets
 * from networks that the certificate does not name (and a certificate of version 1 cannot hold IPv6).
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
 * Formats routes for Nebula's `tun.unsafe_routes`. Only Nebula 1.10 and newer takes several gateways for one network.
 * Older releases take one, and the first by address is as good as any.
 */
export const writeRoutes = (routes: readonly UnsafeRoute[], certificateVersion: 1 | 2) =>
  routes.map(({ route, gateways }) => {
    const [via = ''] = gateways
    return certificateVersion === 1 || gateways.length === 1
      ? { route, via }
      : { route, via: gateways.map((gateway) => ({ gateway })) }
  })

/**
 * The routes for a node, without the networks behind itself: otherwise it would send its own traffic into the overlay.
 */
export const routesBeside = (routes: readonly UnsafeRoute[], node: CompileNode): UnsafeRoute[] =>
  routes.flatMap(({ route, gateways }) =>
    node.routes.includes(route) || gateways.includes(node.overlayIp) ? [] : [{ route, gateways }],
  )
