import type { Operator } from '../../auth/scope.ts'
import { UnavailableError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { ClosedClusters } from '../pki/closed-clusters.ts'
import { ClosedKeysError, sealedKeys } from '../pki/closed-keys.ts'
import { type IdPage, idPages } from '../shared/id-pages.ts'
import { publishCluster } from './publish.ts'
import type { Vault } from '../pki/vault.ts'

/** Milliseconds. */
export interface PublisherTimes {
  /** How long no change must arrive before a burst counts as over. */
  readonly quiet: number
  /** The maximum delay of the first change of a burst. */
  readonly latest: number
  /** The first delay after a failure; doubled with each further one, up to a minute. */
  readonly retry: number
}

const defaultTimes: PublisherTimes = { quiet: 50, latest: 500, retry: 1000 }
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
}

/** Left-over clusters that are read at once, and how many of them are published at the same time. */
const chunk = 100
const atOnce = 10

export interface Publisher {
  /**
   * The master's sweep: publishes what is unpublished for longer than from one run to the next, since the instance of
   * the change is gone then.
   */
  sweep(): AsyncGenerator<void, void>
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
 * without an event (a crash between the change and its bundle, an instance that is gone) are found at the start and by
 * the master's sweep.
 */
export function startPublisher({ operator, vault, log, times = {}, ...means }: PublisherMeans): Publisher {
  const { quiet, latest, retry } = { ...defaultTimes, ...times }
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
    const planned = known ?? newPlan(longest)
    if (planned.timer !== null) clearTimeout(planned.timer)
    const wait = Math.max(0, Math.min(delay, planned.since + planned.latest - now))
    planned.timer = setTimeout(() => void track(run(clusterId, planned)), planned.failures > 0 ? delay : wait)
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
      // Keys that do not open are reported by the sweeps, which also publish the cluster once they open.
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
    return work.finally(() => running.delete(work))
  }

  /** Publishes a left-over cluster, unless it is in this instance's queue. */
  const publishNow = async (clusterId: string) => {
    if (stopped || plans.has(clusterId)) return
    const planned = newPlan(latest)
    plans.set(clusterId, planned)
    await track(run(clusterId, planned))
  }

  const publishLeftOver = async function* (isDue: (cluster: { id: string; configVersion: number }) => boolean) {
    const found = new Map<string, number>()
    for await (const page of idPages(chunk, ({ after, rest }) => unpublished(operator, { after, rest }))) {
      const open = page.filter((cluster) => !closed.isClosed(cluster))
      for (const { id, configVersion } of open) found.set(id, configVersion)
      const due = open.filter(isDue)
      for (let next = due.splice(0, atOnce); next.length > 0; next = due.splice(0, atOnce)) {
        await Promise.all(next.map(({ id }) => publishNow(id)))
        yield
      }
      yield
    }
    leftOver = found
  }

  const atStart = async () => {
    try {
      // One instance alone does not wait for the lease that it had before a crash.
      const pages = publishLeftOver(() => true)
      while (!stopped && (await pages.next()).done !== true);
    } catch (error) {
      log[levelOf(error)]({ err: error }, 'looking for unpublished clusters failed')
    }
  }

  // The instance that made a change publishes it; if that instance is gone, the check finds the change.
  const unlisten = operator.changes.listen((event, isOwn) => {
    if (event.kind === 'changed' && isOwn) plan(event.clusterId)
  })
  void track(atStart())
  return {
    sweep: () => publishLeftOver(({ id, configVersion }) => leftOver.get(id) === configVersion),
    async stop() {
      stopped = true
      unlisten()
      for (const { timer: planned } of plans.values()) if (planned !== null) clearTimeout(planned)
      await Promise.all(running)
    },
  }
}

/** A fault of the database or the disk was logged when it began (base/faults.ts), and recurs with each try. */
const levelOf = (error: unknown) => (error instanceof UnavailableError ? 'debug' : 'error')

const newPlan = (latest: number): Plan => ({
  ...{ since: performance.now(), latest, timer: null },
  ...{ running: false, again: false, failures: 0 },
})

/** The clusters whose wanted version has no bundle, along idx_clusters_unpublished. */
const unpublished = ({ db }: Operator, { after, rest }: IdPage) =>
  db.cluster.findMany({
    where: { id: after, configVersion: { gt: db.cluster.fields.publishedConfigVersion } },
    select: { ...sealedKeys, configVersion: true },
    ...rest,
  })
