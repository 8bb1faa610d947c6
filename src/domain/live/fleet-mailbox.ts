import type { TenantEvent } from '../../db/notify/changes.ts'
import type { ClusterFigures } from '../fleet/figures.ts'
import type { Problem } from '../fleet/problems.ts'
import type { Mailbox } from './mailbox.ts'

/** The events of a fleet's streams; figures are read once for all of them. */
export type FleetNews = FleetEvent | { readonly kind: 'missed' }

type FleetEvent =
  | { readonly kind: 'figures'; readonly figures: ClusterFigures }
  | ({ readonly kind: 'problem' } & Problem)
  | ClusterNews
  | TenantEvent

type ClusterNews =
  | { readonly kind: 'clusterAdded'; readonly figures: ClusterFigures }
  | { readonly kind: 'clusterRemoved'; readonly clusterId: string }

/** One event of a fleet, as readers receive it. */
export type FleetChange = FleetEvent | { readonly kind: 'resync'; readonly tenantId: string | null }

/** How many events may wait for one reader; above that, the reader must read again. */
export const mostOfFleet = 2000

/** The waiting events for a reader of a fleet: the latest figures of each cluster, and a limited number in total. */
export class FleetMailbox implements Mailbox<FleetChange, FleetNews> {
  readonly #tenantId: string | null
  /** The stream begins with it. */
  #mustResync = true
  readonly #tenants = new Map<string, TenantEvent>()
  readonly #clusters = new Map<string, ClusterNews>()
  /** By cluster and kind. */
  readonly #problems = new Map<string, Map<string, Problem>>()
  #problemCount = 0
  readonly #figures = new Map<string, ClusterFigures>()

  /** @param tenantId null for the clusters of all tenants */
  constructor(tenantId: string | null) {
    this.#tenantId = tenantId
  }

  /** The number of waiting events. */
  get size(): number {
    return this.#tenants.size + this.#clusters.size + this.#problemCount + this.#figures.size
  }

  get isEmpty(): boolean {
    return !this.#mustResync && this.size === 0
  }

  put(news: FleetNews): void {
    if (news.kind === 'missed') this.#resync()
    // A reader that must read again needs no single events.
    else if (!this.#mustResync) {
      this.#putEvent(news)
      if (this.size > mostOfFleet) this.#resync()
    }
  }

  take(): FleetChange {
    if (this.#mustResync) {
      this.#mustResync = false
      return { kind: 'resync', tenantId: this.#tenantId }
    }
    const event = takeFirst(this.#tenants) ?? takeFirst(this.#clusters) ?? this.#takeProblem()
    if (event) return event
    const figures = takeFirst(this.#figures)
    if (!figures) throw new Error('nothing waits for the reader')
    return { kind: 'figures', figures }
  }

  #resync(): void {
    this.#mustResync = true
    for (const waiting of [this.#tenants, this.#clusters, this.#problems, this.#figures]) waiting.clear()
    this.#problemCount = 0
  }

  #putEvent(news: FleetEvent): void {
    switch (news.kind) {
      case 'figures': {
        const { clusterId } = news.figures
        // The reader was not told yet that it is there: it learns the latest at once.
        if (this.#clusters.get(clusterId)?.kind === 'clusterAdded') {
          this.#clusters.set(clusterId, { kind: 'clusterAdded', figures: news.figures })
        } else this.#figures.set(clusterId, news.figures)
        return
      }
      case 'problem': {
        const { problem, figures } = news
        const ofCluster = this.#problems.get(figures.clusterId) ?? new Map<string, Problem>()
        if (!ofCluster.has(problem)) this.#problemCount += 1
        ofCluster.set(problem, { problem, figures })
        this.#problems.set(figures.clusterId, ofCluster)
        return
      }
      case 'clusterAdded':
        this.#clusters.set(news.figures.clusterId, news)
        return
      case 'clusterRemoved':
        this.#clusters.set(news.clusterId, news)
        this.#figures.delete(news.clusterId)
        this.#problemCount -= this.#problems.get(news.clusterId)?.size ?? 0
        this.#problems.delete(news.clusterId)
        return
      default:
        this.#tenants.set(news.tenantId, news)
    }
  }

  #takeProblem(): FleetChange | null {
    const [first] = this.#problems
    if (!first) return null
    const [clusterId, ofCluster] = first
    const problem = takeFirst(ofCluster)
    if (ofCluster.size === 0) this.#problems.delete(clusterId)
    if (!problem) return null
    this.#problemCount -= 1
    return { kind: 'problem', ...problem }
  }
}

function takeFirst<Value>(waiting: Map<string, Value>): Value | null {
  const [first] = waiting
  if (!first) return null
  waiting.delete(first[0])
  return first[1]
}
