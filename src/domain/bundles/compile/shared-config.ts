import { stringify } from 'yaml'

import { deepMerge, isSettings, settingAt, type Settings } from '../../../nebula/merge.ts'
import { parseSettings } from '../../../nebula/settings-text.ts'
import { minimumNebulaFor } from '../../../nebula/version-hazards.ts'
import { writeFirewall } from '../../clusters/firewall.ts'
import type { CompileNode, RenderInput } from './compile-input.ts'
import { unsafeRoutes, writeRoutes, type UnsafeRoute } from './routes.ts'

/** The configuration that all nodes share, and the values that their own files take from it. */
export interface SharedConfig {
  /** config.yml */
  readonly text: string
  readonly routes: readonly UnsafeRoute[]
  /** The overlay addresses of the lighthouses that can be found. */
  readonly lighthouses: readonly string[]
  readonly relays: readonly string[]
  /** The port that nodes other than lighthouses listen on. */
  readonly port: number
  /** The oldest Nebula that lets in no more than the configuration allows. */
  readonly minimumNebulaVersion: string
}

/**
 * Defaults for what an uploaded configuration leaves open. Nebula 1.10 changed `default_local_cidr_any` from true to
 * false (its change log): rules without `local_cidr` then let nothing through to networks behind a gateway. Written
 * out, the setting means the same to all versions that know it; those before 1.9 ignore it and let such packets
 * through.
 */
const sharedDefaults: Settings = {
  punchy: { punch: true },
  relay: { use_relays: true },
  firewall: { default_local_cidr_any: true },
}

/** Every string is quoted: Nebula's reader follows YAML 1.1 and would misread a group `yes` or a host `2026-01-31`. */
const yamlStyle = {
  sortMapEntries: true,
  lineWidth: 0,
  aliasDuplicateObjects: false,
  defaultStringType: 'QUOTE_DOUBLE',
  defaultKeyType: 'PLAIN',
} as const

const lighthousesMark = '# Lighthouses that Orrery wrote into static_host_map: '

/**
 * Merges the settings that Orrery stores as rows into the shared configuration in force. Orrery's own entries of
 * `static_host_map` are named in a comment at the top: the next compilation removes them and keeps the entries of an
 * upload.
 */
export function sharedConfig(input: RenderInput, nodes: readonly CompileNode[]): SharedConfig {
  const base = deepMerge(sharedDefaults, respelled(readBase(input.shared?.['config.yml'] ?? null)))
  const hosts = lighthouseHosts(input, nodes)
  const routes = unsafeRoutes(nodes)
  const map = { ...sectionOf(base, 'static_host_map'), ...Object.fromEntries(hosts) }
  const config = deepMerge(base, {
    pki: { blocklist: [...new Set(input.blocklist)].sort(), disconnect_invalid: true },
    firewall: writeFirewall(input.firewall),
    static_host_map: map,
    tun: { unsafe_routes: writeRoutes(routes, input.certificateVersion) },
  })
  // Nebula does not start with a lighthouse that it cannot find: one that an upload names may have been deleted since.
  const isFound = (address: string): boolean => Object.hasOwn(map, address)
  const own = nodes.filter(({ isLighthouse, overlayIp }) => isLighthouse && isFound(overlayIp))
  const mark = hosts.length === 0 ? '' : `${lighthousesMark}${hosts.map(([ip]) => ip).join(' ')}\n`
  const port = settingAt(base, ['listen', 'port'])
  return {
    text: mark + stringify(config, yamlStyle),
    routes,
    lighthouses: union(own, settingAt(base, ['lighthouse', 'hosts'])).filter(isFound),
    relays: union(
      nodes.filter(({ isRelay }) => isRelay),
      settingAt(base, ['relay', 'relays']),
    ),
    port: typeof port === 'number' ? port : 0,
    minimumNebulaVersion: minimumNebulaFor(config),
  }
}

/** The shared configuration without the entries that an earlier version took from Orrery's rows. */
function readBase(text: string | null): Settings {
  const parsed: unknown = text === null ? {} : parseSettings(text)
  const base = isSettings(parsed) ? parsed : {}
  const ours = writtenHosts(text ?? '')
  const rest = Object.entries(sectionOf(base, 'static_host_map')).filter(([ip]) => !ours.has(ip))
  return { ...base, static_host_map: Object.fromEntries(rest) }
}

/** The addresses that Orrery wrote into the `static_host_map` of a shared configuration. */
export function writtenHosts(text: string): ReadonlySet<string> {
  const [line = ''] = text.split('\n', 1)
  return new Set(line.startsWith(lighthousesMark) ? line.slice(lighthousesMark.length).split(' ') : [])
}

/** Nebula 1.9 removed `local_range`; `preferred_ranges`, which included it, means the same to all versions. */
function respelled({ local_range: range, ...config }: Settings): Settings {
  const ranges = config['preferred_ranges'] ?? []
  return typeof range === 'string' && Array.isArray(ranges)
    ? { ...config, preferred_ranges: [...new Set([...(ranges as unknown[]), range])] }
    : config
}

const sectionOf = (config: Settings, name: string): Settings => {
  const section = config[name]
  return isSettings(section) ? section : {}
}

function lighthouseHosts({ lighthousePort }: RenderInput, nodes: readonly CompileNode[]): [string, string[]][] {
  return nodes.flatMap(({ isLighthouse, lighthousePublicIp: ip, lighthousePort: port, overlayIp }) => {
    if (!isLighthouse || ip === null) return []
    return [[overlayIp, [`${ip.includes(':') ? `[${ip}]` : ip}:${port ?? lighthousePort}`]]]
  })
}

/** The nodes' addresses, followed by others that an upload names. */
const union = (nodes: readonly CompileNode[], others: unknown): string[] => {
  const further = Array.isArray(others) ? others.map(String) : []
  return [...new Set([...nodes.map(({ overlayIp }) => overlayIp), ...further])].sort()
}
