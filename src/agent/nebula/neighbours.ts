import { dirname } from 'node:path'

import { settingAt, type Settings } from '../../nebula/merge.ts'
import { enrolledClusters, type ClusterFolder } from '../enrollment-state.ts'
import { VersionRefused } from '../errors.ts'
import { deviceOf, readLinked } from './generation.ts'

/** What a Nebula uses of its machine, and no second Nebula can use. */
export interface Taken {
  /** UDP; null where the system chooses one. */
  readonly port: number | null
  /** The address that it listens on; all addresses where the configuration names none. */
  readonly host: string
  /** The tunnel's device; null without one. */
  readonly device: string | null
}

const anyAddress = ['0.0.0.0', '::', '[::]']

/** What a configuration uses of the machine. */
function takenBy(config: Settings, folder: ClusterFolder): Taken {
  const port = settingAt(config, ['listen', 'port'])
  const host = settingAt(config, ['listen', 'host'])
  const isDisabled = settingAt(config, ['tun', 'disabled']) === true
  return {
    port: typeof port === 'number' && port > 0 ? port : null,
    host: typeof host === 'string' ? host : '0.0.0.0',
    device: isDisabled ? null : String(deviceOf(config, folder)),
  }
}

/** What the machine's other clusters use of it, according to the versions that run, or ran last. */
export async function neighboursOf(folder: ClusterFolder): Promise<(Taken & { readonly who: string })[]> {
  const others = (await enrolledClusters(dirname(folder.path))).filter(({ path }) => path !== folder.path)
  const each = others.map(async (other) => {
    const generation = (await readLinked(other, 'proven')) ?? (await readLinked(other, 'current'))
    // A cluster whose enrollment is damaged is not followed, and uses nothing.
    const enrollment = await other.enrollment().catch(() => null)
    if (generation === null || enrollment === null) return []
    const who = `${await other.nodeName()} (cluster ${enrollment.clusterId})`
    return [{ ...takenBy(generation.config, other), who }]
  })
  return (await Promise.all(each)).flat()
}

/** Two Nebulas on one port of one address: the second does not start. */
export const portClashes = (a: Pick<Taken, 'port' | 'host'>, b: Pick<Taken, 'port' | 'host'>): boolean =>
  a.port !== null &&
  a.port === b.port &&
  (a.host === b.host || [a.host, b.host].some((one) => anyAddress.includes(one)))

/**
 * Refuses a configuration that needs what another cluster of this machine uses, before Nebula is touched.
 * @throws VersionRefused that names the setting and the other cluster
 */
export async function assertMachineIsFree(folder: ClusterFolder, config: Settings): Promise<void> {
  const wanted = takenBy(config, folder)
  for (const { who, ...other } of await neighboursOf(folder)) {
    if (portClashes(wanted, other)) {
      throw new VersionRefused(
        `listen.port is ${wanted.port}, which this machine uses already as ${who}: two on one machine need a port each`,
      )
    }
    if (wanted.device !== null && wanted.device === other.device) {
      throw new VersionRefused(
        `tun.dev is ${wanted.device}, which this machine uses already as ${who}: two on one machine need a device each`,
      )
    }
  }
}
