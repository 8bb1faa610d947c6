import type { Operator } from '../../auth/scope.ts'
import { UnavailableError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { ClosedClusters } from '../pki/closed-clusters.ts'
import { ClosedKeysError, sealedKeys } from '../pki/closed-keys.ts'
import { publishCluster } from './publish.ts'
import type { Vault } from '../pki/vault.ts'

/** Milliseconds. */
export interface PublisherTimes {
  /** How long no change must arrive before a burst counts as over. */
  readonly quiet: number
  /** The maximum delay of the first change of a burst. */
  readonly latest: number
  /** Between two checks for unpublished versions, left by a crash or by an instance that is gone. */
  readonly sweep: number
  /** The first delay after a failure; doubled with each further one, up to a minute. */
  readonly retry: number
}

const defaultTimes: PublisherTimes = { quiet: 50, latest: 500, sweep: 5000, retry: 1000 }
const longestRetry = 60_000
/**
 * During continuous changes, a cluster is published for at most a third of the time: the larger it is, the more changes
 * one version contains, and the fewer versions its nodes have to fetch.
 */
const restShare = 2

interface PublisherMeans {
  readonly operator: Operator
  readonly vault: Vault
  readonly log: Logger
  /**
   * Clusters whose keys do not open are not retried until they do, and are reported here; an own instance when absent.
   */
  readonly closed?: ClosedClusters
  readonly times?: Partial<PublisherTimes>
  /** Additional work of each sweep, such as the next step of running CA rotations. */
  readonly onSweep?: () => Promise<void>
}

export interface Publisher {
  /** Accepts no more work and waits for running publications. */
  stop(): Promise<void>
}

/** The planned publication of a cluster. */
interface Plan {
  /** When the oldest waiting change arrived. */
  since: number
  /** The maximum delay, in milliseconds. */
  readonly latest: number
  timer: NodeJS.Timeout | null
  running: boolean
  /** Whether another change arrived during the publication. */
  again: boolean
  failures: number
}

/**
 * Publishes changes: receives events of committed changes, waits for a burst to end, compiles and stores. Changes
 * without an event (a crash between the change and its bundle, an instance that is gone) are found by a regular check.
 */
export function startPublisher({ operator, vault, log, times = {}, onSweep, ...means }: PublisherMeans): Publisher {
  const { quiet, latest, sweep, retry } = { ...defaultTimes, ...times }
  const closed = means.closed ?? new ClosedClusters({ operator, vault, log })
  const plans = new Map<string, Plan>()
  const running = new Set<Promise<void>>()
  let leftOver = new Map<string, number>()
  let stopped = false

  const plan = (clusterId: string, delay = quiet, longest = latest) => {
    if (stopped) return
    const now = performance.now()
    const known = plans.get(clusterId)
    if (known?.running === true) {
      known.again = true
      return
    }
    // A cluster that failed waits for its retry: changes do not make it try earlier.
    if (known !== undefined && known.failures > 0 && known.timer !== null) return
    const planned = known ?? { since: now, latest: longest, timer: null, running: false, again: false, failures: 0 }
    if (planned.timer !== null) clearTimeout(planned.timer)
    const wait = Math.max(0, Math.min(delay, planned.since + planned.latest - now))
    planned.timer = setTimeout(() => track(run(clusterId, planned)), planned.failures > 0 ? delay : wait)
    plans.set(clusterId, planned)
  }

  const run = async (clusterId: string, planned: Plan) => {
    planned.timer = null
    planned.running = true
    const start = performance.now()
    try {
      const version = await publishCluster({ scope: operator, vault, log }, clusterId)
      if (version !== null) log.info({ clusterId, version }, 'published')
      planned.failures = 0
    } catch (error) {
      // Keys that do not open are reported by the next checks, which also publish the cluster once they open.
      if (error instanceof ClosedKeysError) planned.failures = 0
      else {
        planned.failures += 1
        log[levelOf(error)]({ err: error, clusterId, failures: planned.failures }, 'publishing failed')
      }
    }
    planned.running = false
    if (planned.failures > 0) {
      plan(clusterId, Math.min(longestRetry, retry * 2 ** (planned.failures - 1)))
      return
    }
    plans.delete(clusterId)
    if (planned.again) plan(clusterId, quiet, Math.max(latest, restShare * (performance.now() - start)))
  }

  const track = (work: Promise<void>) => {
    running.add(work)
    void work.finally(() => running.delete(work))
  }

  /**
   * At the start, publishes all found clusters; later only those found twice in a row, since the instance of
   * the change comes first.
   */
  const look = async (isStart: boolean) => {
    try {
      const behind = (await unpublished(operator)).filter((cluster) => !closed.isClosed(cluster))
      const found = new Map(behind.map(({ id, configVersion }) => [id, configVersion]))
      for (const id of found.keys()) if (isStart || leftOver.has(id)) plan(id)
      leftOver = found
      await onSweep?.()
    } catch (error) {
      log[levelOf(error)]({ err: error }, 'looking for unpublished clusters failed')
    }
  }

  // The instance that made a change publishes it; if that instance is gone, the check finds the change.
  const unlisten = operator.changes.listen((event, isOwn) => {
    if (event.kind === 'changed' && isOwn) plan(event.clusterId)
  })
  track(look(true))
  let looking = false
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    track(look(false).finally(() => (looking = false)))
  }, sweep)
  return {
    async stop() {
      stopped = true
      unlisten()
      clearInterval(timer)
      for (const { timer: planned } of plans.values()) if (planned !== null) clearTimeout(planned)
      await Promise.all(running)
    },
  }
}

/** A fault of the database or the disk was logged when it began (base/faults.ts), and recurs with each try. */
const levelOf = (error: unknown) => (error instanceof UnavailableError ? 'debug' : 'error')

/** The clusters whose wanted version has no bundle, along idx_clusters_unpublished. */
export const unpublished = ({ db }: Pick<Operator, 'db'>) =>
  db.cluster.findMany({
    where: { configVersion: { gt: db.cluster.fields.publishedConfigVersion } },
    select: { ...sealedKeys, configVersion: true },
  })
