import { parseNetwork, withoutHostBits, type Network } from '../base/networks.ts'
import type { SettingProblem } from './agent-settings.ts'
import { isSettings, settingAt, type Settings } from './merge.ts'
import { compareVersions, isAtLeast } from './version.ts'

/** What a difference between Nebula's versions means for a configuration that goes to machines of several versions. */
type Consequence =
  /** Older versions ignore the setting, and let no further peer in because of it. */
  | 'unknown to older, harmless'
  /** Older versions let in more than the setting says: needs the newer version, on every node. */
  | 'unknown to older, and then wider'
  /** The same text lets more in on older versions: the API and the agents refuse it. */
  | 'read wider by older, refused'
  /** The same text lets more in on newer versions: the API and the agents refuse it. */
  | 'read wider by newer, refused'
  /** The default has changed: a compiled configuration states the value. */
  | 'default changed, written out'
  /** The spelling has changed: a compiled configuration has the one that all versions read. */
  | 'spelling changed, written anew'
  /** No configuration makes the versions behave alike; `meaning` says what to know about it. */
  | 'behaves otherwise, harmless'

/** One difference between Nebula's versions. */
export interface Difference {
  /** The setting, as `section.setting`. */
  readonly setting: string
  /** The first version that knows the setting, or reads it as all later versions do. */
  readonly since: string
  readonly consequence: Consequence
  readonly meaning: string
}

/** A difference that a configuration can be checked for. */
interface Hazard extends Difference {
  /** The paths to the values that one group of versions reads as wider than the other. */
  readonly find: (config: Settings) => readonly (readonly string[])[]
}

/** The oldest Nebula that Orrery's configurations are for. */
export const oldestNebula = '1.6.0'

/** The first that reads certificates of version 2. */
export const firstWithCertificates2 = '1.10.0'

/**
 * Settings that let more in on some versions than on others; found by packets with 1.6.1, 1.9.3 and 1.11.0
 * (`test/mesh/firewall.test.ts`), for the versions between them by Nebula's change log. Where it is not known which
 * version in between changed, the newer one that was tested counts.
 */
export const versionHazards: readonly Hazard[] = [
  {
    setting: 'firewall.*.local_cidr',
    since: '1.9.0',
    consequence: 'unknown to older, and then wider',
    meaning: 'before 1.7 it is unknown, in 1.7 and 1.8 one more way to be let in beside host, group, groups and cidr',
    find: (config) => rulesWhere(config, 'local_cidr', (rule) => isSet(rule['local_cidr'])),
  },
  {
    setting: 'firewall.default_local_cidr_any: false',
    since: '1.9.0',
    consequence: 'unknown to older, and then wider',
    meaning: 'before 1.9, a rule without local_cidr is for the networks behind a node too',
    find: (config) => {
      const path = ['firewall', 'default_local_cidr_any']
      return settingAt(config, path) === false ? [path] : []
    },
  },
  ...(['cidr', 'local_cidr'] as const).flatMap((key): Hazard[] => [
    {
      setting: `firewall.*.${key} with 0.0.0.0 in it`,
      since: '1.11.0',
      consequence: 'read wider by older, refused',
      meaning: '0.0.0.0/8 or 0.0.0.0/1 is every address, as 0.0.0.0/0 is',
      find: (config) => rulesWhere(config, key, (rule) => isPartWithZero(networkOf(rule[key]))),
    },
    {
      setting: `firewall.*.${key} of IPv6`,
      since: '1.11.0',
      consequence: 'read wider by older, refused',
      meaning: 'a short prefix such as fd00::/8 is every address of IPv4',
      find: (config) => rulesWhere(config, key, (rule) => networkOf(rule[key])?.[0].kind() === 'ipv6'),
    },
  ]),
  {
    setting: 'firewall.*.port of proto icmp',
    since: '1.11.0',
    consequence: 'read wider by newer, refused',
    meaning: 'before 1.11, no ICMP has a port and nothing meets the rule; from then on the port does not count',
    find: (config) => rulesWhere(config, 'port', (rule) => rule['proto'] === 'icmp' && isSomePort(rule)),
  },
]

/**
 * What a version of Nebula would read as wider than meant, in a configuration or in the section `firewall` alone.
 * @param version such as `1.6.1`
 * @throws RangeError when that is not a version
 */
export function widerOn(config: Settings, version: string): SettingProblem[] {
  return versionHazards
    .filter(({ consequence, since }) => isAtLeast(version, since) === (consequence === refusedByNewer))
    .flatMap(({ find, meaning, consequence, since }) =>
      find(config).map((path) => {
        const than = consequence === refusedByNewer ? 'before' : 'from'
        return { path, message: `lets more in with Nebula ${version} than ${than} ${since}: ${meaning}` }
      }),
    )
}

const refusedByNewer = 'read wider by newer, refused' satisfies Consequence

/** The oldest Nebula that lets in no more than a configuration says, as far as a version can be old enough or too old. */
export const minimumNebulaFor = (config: Settings): string =>
  newestOf(
    versionHazards
      .filter(({ consequence, find }) => consequence !== refusedByNewer && find(config).length > 0)
      .map(({ since }) => since),
  )

/** The newest of some versions; `oldestNebula` when there are none. */
export const newestOf = (versions: readonly string[]): string =>
  versions.reduce((newest, one) => (compareVersions(one, newest) > 0 ? one : newest), oldestNebula)

/** The paths to a key of each rule that meets a condition. */
function rulesWhere(config: Settings, key: string, holds: (rule: Settings) => boolean): string[][] {
  return ['inbound', 'outbound'].flatMap((side) => {
    const rules = settingAt(config, ['firewall', side])
    if (!Array.isArray(rules)) return []
    return rules.flatMap((rule: unknown, index) =>
      isSettings(rule) && holds(rule) ? [['firewall', side, String(index), key]] : [],
    )
  })
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== ''

/** Nebula reads an address as the network that contains it. */
const networkOf = (value: unknown): Network | null =>
  typeof value === 'string' ? parseNetwork(withoutHostBits(value)) : null

/** Whether a network is a part of IPv4 that has its lowest address. */
const isPartWithZero = (network: Network | null): boolean =>
  network !== null && network[1] > 0 && network[0].toString() === '0.0.0.0'

/** Nebula's own spellings of "any port"; `code` is another name of `port`. */
const isSomePort = ({ port, code }: Settings): boolean =>
  [port, code].some((one) => isSet(one) && !['any', '0'].includes(String(one)))
