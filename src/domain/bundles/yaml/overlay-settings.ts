import { intervalOf, isWithin, withoutHostBits } from '../../../base/networks.ts'
import { configFile } from '../../../nebula/bundle/manifest.ts'
import { settingAt, type Settings } from '../../../nebula/merge.ts'
import { refuseFile } from '../inspect/refusal.ts'

/** The settings that name addresses of the overlay; they depend on the cluster. */
export interface OverlaySettings {
  /** `lighthouse.hosts` */
  readonly lighthouses: readonly string[]
  /** The keys of `static_host_map`. */
  readonly mapped: readonly string[]
  /** `tun.routes`, parts of the overlay with their own MTU. */
  readonly routes: readonly string[]
}

/** Reads them from settings that were validated for Nebula. */
export function overlaySettings(config: Settings): OverlaySettings {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
  const map = settingAt(config, ['static_host_map'])
  return {
    lighthouses: list(settingAt(config, ['lighthouse', 'hosts'])).map(String),
    mapped: typeof map === 'object' && map !== null ? Object.keys(map) : [],
    routes: list(settingAt(config, ['tun', 'routes'])).flatMap((one) =>
      typeof one === 'object' && one !== null && 'route' in one ? [String(one.route)] : [],
    ),
  }
}

/** The cluster that a configuration is for. */
interface Overlay {
  readonly networkCidr: string
  /** Addresses that Orrery writes into `static_host_map` itself. */
  readonly ownLighthouses: ReadonlySet<string>
  /** Addresses that Orrery wrote into this file; it removes them when it compiles from it. */
  readonly written: ReadonlySet<string>
}

/**
 * Refuses settings that stop Nebula at its start, on every node of the cluster (tested with 1.6.1): addresses in
 * `static_host_map` or networks in `tun.routes` outside of the overlay, and lighthouses without a static address.
 * @throws ValidationError with the setting
 */
export function checkOverlay({ lighthouses, mapped, routes }: OverlaySettings, overlay: Overlay): void {
  const { networkCidr, ownLighthouses, written } = overlay
  const kept = mapped.filter((address) => !written.has(address))
  const stray = kept.find((address) => !isInside(address, networkCidr))
  if (stray !== undefined) throw outside('static_host_map', stray, networkCidr)
  const route = routes.find((one) => !isInside(one, networkCidr))
  if (route !== undefined) throw outside('tun.routes', route, networkCidr)
  const lost = lighthouses.find((address) => !kept.includes(address) && !ownLighthouses.has(address))
  if (lost === undefined) return
  throw refuseFile(
    configFile,
    `sets lighthouse.hosts, where ${lost} has no entry in static_host_map and is no lighthouse of the cluster: no Nebula starts with it`,
  )
}

const outside = (setting: string, what: string, networkCidr: string) =>
  refuseFile(
    configFile,
    `sets ${setting}, where ${what} lies outside of the cluster’s network, ${networkCidr}: no Nebula starts with it`,
  )

/** Whether a network, with host bits or without, lies in an IPv4 network; IPv6 never does. */
const isInside = (cidr: string, outer: string): boolean =>
  isWithin(intervalOf(withoutHostBits(cidr)), intervalOf(outer))
