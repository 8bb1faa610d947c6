import type { Operator } from '../../auth/scope.ts'
import { UnavailableError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { ClosedClusters } from '../pki/closed-clusters.ts'
import { ClosedKeysError, sealedKeys } from '../pki/closed-keys.ts'
import { publishCluster } from './publish.ts'
import type { Vault } from '../pki/vault.ts'

/** Milliseconds. */
export interface PublisherTimes {
  /** How long no change must come before a burst counts as over. */
  readonly quiet: number
  /** How long the first change of a burst waits at most. */
  readonly latest: number
  /** Between two looks for what was left over: by a crash, or by an instance that is gone. */
  readonly sweep: number
  /** The first pause after a failure; doubled with each further one, up to a minute. */
  readonly retry: number
}

const defaultTimes: PublisherTimes = { quiet: 50, latest: 500, sweep: 5000, retry: 1000 }
const longestRetry = 60_000
/**
 * While changes come without a moment of quiet, a cluster is published for a third of the time at most: the larger it is,
 * the more changes one version holds, and the fewer versions its nodes have to fetch.
 */
const restShare = 2

interface PublisherMeans {
  readonly operator: Operator
  readonly vault: Vault
  readonly log: Logger
  /** What cannot be signed for is not tried again until it can, and is told of here; one of its own when absent. */
  readonly closed?: ClosedClusters
  readonly times?: Partial<PublisherTimes>
  /** Further work of each sweep, such as the next step of running CA rotations. */
  readonly onSweep?: () => Promise<void>
}

export interface Publisher {
  /** Takes on no more and waits for what is being published. */
  stop(): Promise<void>
}

/** What is planned for a cluster. */
interface Plan {
  /** Since when the oldest change waits. */
  since: number
  /** How long it waits at most, in milliseconds. */
  readonly latest: number
  timer: NodeJS.Timeout | null
  running: boolean
  /** Whether another change came while it was published. */
  again: boolean
  failures: number
}

/**
 * Publishes what changes: hears of changes as they are committed, waits for a burst to end, compiles and stores. What
 * nobody heard of (a crash between the change and its bundle, an instance that went away) is found by looking.
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
    // A cluster that failed waits for its turn: changes do not make it try any faster.
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
      // Of keys that do not open, the looks that follow say so, and take the cluster up when they do.
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

  /** Takes up at once what is there at the start; later only what was there a sweep ago: its own instance comes first. */
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

  // What another instance changed is that one's to publish; this one finds it by looking, should the other be gone.
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

/** What is wrong with the database or the disk was said when it began (base/faults.ts), and is met again with each try. */
const levelOf = (error: unknown) => (error instanceof UnavailableError ? 'debug' : 'error')

/** The clusters whose wanted version has no bundle, along idx_clusters_unpublished. */
export const unpublished = ({ db }: Pick<Operator, 'db'>) =>
  db.cluster.findMany({
    where: { configVersion: { gt: db.cluster.fields.publishedConfigVersion } },
    select: { ...sealedKeys, configVersion: true },
  })
