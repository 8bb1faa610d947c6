import { isDeepStrictEqual } from 'node:util'

import { parseCertificates } from '../pki/certificate.ts'
import { isSettings, type Settings } from './merge.ts'
import { isAtLeast } from './version.ts'

/** What a running Nebula needs so that it runs what is on the disk. */
export type Action = 'none' | 'reload' | 'restart'

/** What a Nebula runs on: its whole configuration, and the files that it names. */
export interface Effective {
  /** The one file that Nebula is given, all files merged. */
  readonly config: Settings
  /** What is in the file of `pki.ca`. */
  readonly ca: string
  /** What is in the file of `pki.cert`. */
  readonly certificate: string
}

/**
 * The settings that SIGHUP makes Nebula 1.6.1 and later read again (measured with 1.6.1). A section stands for all in
 * it but what `NOT_RELOADED` names; whatever is not here needs a restart, which is slower and never wrong.
 */
const RELOADED = [
  'firewall',
  'lighthouse',
  'logging',
  'pki.blocklist',
  'pki.ca',
  'pki.cert',
  'relay.relays',
  'static_host_map',
]

/** What is read at the start only, in sections that are otherwise read again. */
const NOT_RELOADED = ['lighthouse.am_lighthouse', 'lighthouse.serve_dns']

/** What later releases read again too (Nebula's examples/config.yml). */
const RELOADED_SINCE: readonly (readonly [version: string, setting: string])[] = [['1.10.0', 'tun.unsafe_routes']]

/**
 * What it takes to go from one configuration to another without cutting tunnels that may stay.
 * @param nebulaVersion of the Nebula that runs, such as `1.6.1`
 * @throws PkiError when a certificate file holds none
 */
export function actionFor(before: Effective, after: Effective, nebulaVersion: string): Action {
  const changed = changedSettings(before.config, after.config)
  const reloaded = [
    ...RELOADED,
    ...RELOADED_SINCE.flatMap(([version, setting]) => (isAtLeast(nebulaVersion, version) ? [setting] : [])),
  ]
  if (changed.some((setting) => isIn(setting, NOT_RELOADED) || !isIn(setting, reloaded))) return 'restart'
  if (before.certificate !== after.certificate && identityOf(before) !== identityOf(after)) return 'restart'
  const same = changed.length === 0 && before.ca === after.ca && before.certificate === after.certificate
  return same ? 'none' : 'reload'
}

/** The settings that differ, as `section.setting`: as deep as both sides have sections. */
function changedSettings(before: Settings, after: Settings, above: readonly string[] = []): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) => {
    const [old, now, path] = [before[key], after[key], [...above, key]]
    if (isDeepStrictEqual(old, now)) return []
    // A section that appears or goes is what is in it.
    if (path.length < 2 && isSection(old) && isSection(now)) return changedSettings(old ?? {}, now ?? {}, path)
    return [path.join('.')]
  })
}

const isSection = (value: unknown): value is Settings | null | undefined =>
  value === undefined || value === null || isSettings(value)

const isIn = (setting: string, list: readonly string[]): boolean =>
  list.some((one) => setting === one || setting.startsWith(`${one}.`))

/** What Nebula takes from a certificate when it starts: the addresses of its device, and the networks behind it. */
const identityOf = ({ certificate }: Effective): string =>
  JSON.stringify(
    parseCertificates(certificate).map(({ version, networks, unsafeNetworks }) => [version, networks, unsafeNetworks]),
  )
