import { isDeepStrictEqual } from 'node:util'

import { parseCertificates } from '../pki/certificate.ts'
import { isSettings, settingAt, type Settings } from './merge.ts'
import type { Sign } from './reload-signs.ts'
import { isAtLeast } from './version.ts'

/** What makes a running Nebula use the files on the disk. */
export type Action = 'none' | 'reload' | 'restart'

/** What a Nebula runs on: its whole configuration, and the files that it names. */
export interface Effective {
  /** The one file that Nebula gets, with all files merged. */
  readonly config: Settings
  /** The content of the file that `pki.ca` names. */
  readonly ca: string
  /** The content of the file that `pki.cert` names. */
  readonly certificate: string
}

interface Reloaded {
  /** A section stands for everything in it. */
  readonly setting: string
  /** The oldest Nebula that was seen to reload it, where that is not the oldest of all. */
  readonly since?: string
  /** The log line that shows a changed value; absent where Nebula does not log one in every case. */
  readonly line?: RegExp
}

/**
 * The settings that SIGHUP applies completely, and to live tunnels too, as packets showed with Nebula 1.6.1, 1.9.3 and
 * 1.11.0 (docs/agent.md has the table, test/mesh/reload.test.ts tries each). Every other setting needs a restart, which
 * is slower and never wrong: settings that are read at the start only, those that apply to new tunnels alone
 * (`lighthouse.*_allow_list`, `relay.am_relay`), and those that were not tested. `lighthouse.interval` makes the reload
 * of 1.6.1 hang for good.
 */
const reloadedSettings: readonly Reloaded[] = [
  { setting: 'firewall.inbound' },
  { setting: 'firewall.outbound' },
  { setting: 'firewall.default_local_cidr_any' },
  { setting: 'lighthouse.hosts', line: /^lighthouse\.hosts has changed/ },
  { setting: 'lighthouse.interval', since: '1.9.3', line: /^lighthouse\.interval changed/ },
  { setting: 'logging.level' },
  { setting: 'pki.blocklist' },
  { setting: 'relay.relays' },
  { setting: 'static_host_map', line: /^static_host_map has changed/ },
  { setting: 'tun.mtu', since: '1.9.3', line: /^Set (max|default) MTU/ },
  { setting: 'tun.unsafe_routes', since: '1.9.3' },
]

/** Logged on each reload: the files that `pki` names are read again whether they changed or not. */
const certificateSign: Sign = { of: 'pki.ca and pki.cert', line: /^Client cert\S* refreshed from disk/ }
/** One line for each fingerprint; since 1.10 or 1.11, one for all. */
const blocklistSign: Sign = { of: 'pki.blocklist', line: /^Blocklist(ing cert|ed certificates)/ }

/**
 * What it takes to go from one configuration to another without cutting tunnels that may stay.
 * @param nebulaVersion of the running Nebula, such as `1.6.1`
 * @throws PkiError when a certificate file holds none
 */
export function actionFor(before: Effective, after: Effective, nebulaVersion: string): Action {
  const changed = changedSettings(before.config, after.config)
  if (changed.some((setting) => reloadedBy(setting, nebulaVersion) === undefined)) return 'restart'
  if (before.certificate !== after.certificate && identityOf(before) !== identityOf(after)) return 'restart'
  const same = changed.length === 0 && before.ca === after.ca && before.certificate === after.certificate
  return same ? 'none' : 'reload'
}

/** The log lines, besides the first and the last of a reload, that show that the changes were read. */
export function signsOf(before: Effective, after: Effective, nebulaVersion: string): Sign[] {
  const lines = new Map<string, RegExp>()
  for (const changed of changedSettings(before.config, after.config)) {
    const { setting, line } = reloadedBy(changed, nebulaVersion) ?? {}
    if (setting !== undefined && line !== undefined) lines.set(setting, line)
  }
  const blocked = settingAt(after.config, ['pki', 'blocklist'])
  const own = [...lines].map(([of, line]) => ({ of, line }))
  return [certificateSign, ...(Array.isArray(blocked) && blocked.length > 0 ? [blocklistSign] : []), ...own]
}

const reloadedBy = (setting: string, nebulaVersion: string): Reloaded | undefined =>
  reloadedSettings.find(
    (one) =>
      (setting === one.setting || setting.startsWith(`${one.setting}.`)) &&
      (one.since === undefined || isAtLeast(nebulaVersion, one.since)),
  )

/** The settings that differ, as `section.setting`: as deep as both sides have sections. */
function changedSettings(before: Settings, after: Settings, above: readonly string[] = []): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) => {
    const [old, now, path] = [before[key], after[key], [...above, key]]
    if (isDeepStrictEqual(old, now)) return []
    // A section that is added or removed counts as a change of the settings in it.
    if (path.length < 2 && isSection(old) && isSection(now)) return changedSettings(old ?? {}, now ?? {}, path)
    return [path.join('.')]
  })
}

const isSection = (value: unknown): value is Settings | null | undefined =>
  value === undefined || value === null || isSettings(value)

/**
 * The part of a certificate that takes a restart when it changes: the device's addresses and networks are read at the
 * start only, and the peers of live tunnels keep the groups and the name that they saw when the tunnel was made.
 */
const identityOf = ({ certificate }: Effective): string =>
  JSON.stringify(
    parseCertificates(certificate).map(({ version, name, networks, unsafeNetworks, groups }) => [
      version,
      name,
      networks,
      unsafeNetworks,
      groups,
    ]),
  )
