import type { Logger } from '../../base/log.ts'
import type { ChangeEvent } from '../../db/notify/changes.ts'
import type { ClusterFigures } from '../fleet/figures.ts'
import { getFigures, listFleetIds } from '../fleet/fleet.ts'
import { problemsBetween } from '../fleet/problems.ts'
import type { FleetNews } from './fleet-mailbox.ts'
import type { Follower } from './stream.ts'
import type { WakeUps } from './wake-ups.ts'

interface Dependencies {
  readonly wakeUps: WakeUps
  readonly log: Pick<Logger, 'warn'>
  /** Milliseconds. */
  readonly lookEvery: number
  /** The minimum number of milliseconds between two readings of figures. */
  readonly readEvery: number
}

/** After a reading, the channel rests this many times as long: a large fleet takes a limited share of the process. */
const restShare = 3

/**
 * The streams of all clusters, or of one tenant's. Figures of all clusters that changed within a second are read
 * together, once for all streams, in the scope of one of them: each stream was accepted because the tenant is in its
 * scope, and only data of the tenant is read.
 */
export class FleetChannel {
  readonly #tenantId: string | null
  readonly #dependencies: Dependencies
  readonly #streams = new Set<Follower<FleetNews>>()
  /** The figures that were read last. */
  readonly #known = new Map<string, ClusterFigures>()
  /** Clusters to read. */
  #changed = new Set<string>()
  /** Those of them of which no stream needs to be told: none has changed since the streams began. */
  readonly #silent = new Set<string>()
  /** Created clusters of which the streams have not been told. */
  readonly #added = new Set<string>()
  /** Clusters of other tenants, found by reading; forgotten at each look. */
  readonly #foreign = new Set<string>()
  /** Clusters that were unpublished at the last look, and whether the streams were told. */
  readonly #unpublished = new Map<string, boolean>()
  #isReading = false
  #nextReading: NodeJS.Timeout | undefined
  #readableAt = 0
  #nextLook: NodeJS.Timeout | undefined
  #hasLooked = false

  /** @param tenantId null for the clusters of all tenants */
  constructor(tenantId: string | null, dependencies: Dependencies) {
    this.#tenantId = tenantId
    this.#dependencies = dependencies
  }

  get isEmpty(): boolean {
    return this.#streams.size === 0
  }

  /** A stream's mailbox begins with a resync, so that its reader reads after it has joined. */
  add(stream: Follower<FleetNews>): void {
    this.#streams.add(stream)
    if (this.#streams.size === 1) void this.#look()
  }

  delete(stream: Follower<FleetNews>): void {
    this.#streams.delete(stream)
    if (!this.isEmpty) return
    clearTimeout(this.#nextLook)
    clearTimeout(this.#nextReading)
  }

  end(): void {
    for (const stream of [...this.#streams]) stream.end()
  }

  /** Takes any event of the database. */
  hear(event: ChangeEvent): void {
    switch (event.kind) {
      case 'changed':
      case 'published':
      case 'nodesAdded':
      case 'nodeChanged':
      case 'nodeRemoved':
      case 'reported':
        this.#hasChanged(event.clusterId)
        return
      case 'clusterAdded':
        this.#added.add(event.clusterId)
        this.#hasChanged(event.clusterId)
        return
      case 'ended':
        if (event.whose !== 'everybody') return
        this.#remove(event.clusterId)
        return
      case 'tenantRemoved':
        if (this.#tenantId === event.tenantId) this.end()
        else if (this.#tenantId === null) this.#tell(event)
        return
      case 'tenantAdded':
        if (this.#tenantId === null) this.#tell(event)
        return
      case 'signedOut':
        this.#checkCredentials()
        return
      case 'missed':
        this.#tell(event)
        clearTimeout(this.#nextLook)
        void this.#look()
        return
      case 'replicaUp':
      case 'replicaDown':
    }
  }

  #tell(news: FleetNews): void {
    for (const stream of this.#streams) {
      stream.put(news)
      this.#dependencies.wakeUps.wake(stream)
    }
  }

  #checkCredentials(): void {
    for (const stream of this.#streams) {
      stream.checkCredential()
      this.#dependencies.wakeUps.wake(stream)
    }
  }

  #remove(clusterId: string): void {
    for (const one of [this.#changed, this.#silent, this.#added, this.#unpublished]) one.delete(clusterId)
    if (this.#known.delete(clusterId) || this.#tenantId === null) this.#tell({ kind: 'clusterRemoved', clusterId })
  }

  #hasChanged(clusterId: string): void {
    if (this.#foreign.has(clusterId)) return
    this.#silent.delete(clusterId)
    this.#changed.add(clusterId)
    this.#appointReading()
  }

  /** At once after a quiet time; otherwise when the time between two readings is over. */
  #appointReading(): void {
    if (this.#isReading || this.#nextReading || this.isEmpty) return
    const delay = Math.max(0, this.#readableAt - performance.now())
    this.#nextReading = setTimeout(() => void this.#read(), delay).unref()
  }

  async #read(): Promise<void> {
    this.#nextReading = undefined
    const [first] = this.#streams
    if (!first) return
    this.#isReading = true
    const began = performance.now()
    const ids = this.#changed
    this.#changed = new Set()
    try {
      const figures = await getFigures(first.scope, [...ids], { tenantId: this.#tenantId })
      for (const id of ids) this.#bring(id, figures.get(id))
    } catch {
      // A reader that reads again finds the figures, or receives the error.
      this.#tell({ kind: 'missed' })
    }
    const now = performance.now()
    this.#readableAt = Math.max(began + this.#dependencies.readEvery, now + restShare * (now - began))
    this.#isReading = false
    if (this.#changed.size > 0) this.#appointReading()
  }

  #bring(id: string, figures: ClusterFigures | undefined): void {
    const before = this.#known.get(id)
    const isSilent = this.#silent.delete(id)
    const isAdded = this.#added.delete(id)
    if (!figures) {
      if (before) this.#remove(id)
      else this.#foreign.add(id)
      return
    }
    this.#known.set(id, figures)
    if (isAdded) this.#tell({ kind: 'clusterAdded', figures })
    else if (!isSilent && !areSame(before, figures)) this.#tell({ kind: 'figures', figures })
    for (const problem of before ? problemsBetween(before, figures) : []) this.#tell({ kind: 'problem', ...problem })
  }

  /**
   * Finds changes without an event: time has passed, a caller lost its permission, another instance's notice was lost.
   * The first look is what later figures are compared with.
   */
  async #look(): Promise<void> {
    const [first] = this.#streams
    if (!first) return
    const known = [...this.#known.keys()]
    try {
      const { ids, isTruncated } = await listFleetIds(first.scope, this.#tenantId)
      this.#foreign.clear()
      const present = new Set(ids)
      if (!isTruncated) for (const id of known) if (!present.has(id)) this.#remove(id)
      for (const id of ids) {
        if (!this.#hasLooked && !this.#changed.has(id) && !this.#known.has(id)) this.#silent.add(id)
        this.#changed.add(id)
      }
      this.#hasLooked = true
      this.#noticeUnpublished()
      this.#appointReading()
    } catch (error) {
      this.#dependencies.log.warn({ err: error, tenantId: this.#tenantId }, 'a fleet’s streams could not look for news')
    }
    this.#checkCredentials()
    this.#appointLook()
  }

  /** Publishing takes about a second: what is unpublished at two looks is not going to be published soon. */
  #noticeUnpublished(): void {
    for (const [id, figures] of this.#known) {
      if (figures.unpublishedVersions === 0) this.#unpublished.delete(id)
      else if (!this.#unpublished.has(id)) this.#unpublished.set(id, false)
      else if (!this.#unpublished.get(id)) {
        this.#unpublished.set(id, true)
        this.#tell({ kind: 'problem', problem: 'UNPUBLISHED', figures })
      }
    }
  }

  /** Schedules the next look, at different times for different fleets and instances. */
  #appointLook(): void {
    if (this.isEmpty) return
    clearTimeout(this.#nextLook)
    const delay = this.#dependencies.lookEvery * (0.75 + 0.5 * Math.random())
    this.#nextLook = setTimeout(() => void this.#look(), delay).unref()
  }
}

const areSame = (before: ClusterFigures | undefined, after: ClusterFigures): boolean =>
  JSON.stringify(before) === JSON.stringify(after)
