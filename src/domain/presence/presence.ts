import type { Operator } from '../../auth/scope.ts'
import type { Logger } from '../../base/log.ts'
import { Mutex } from '../../base/mutex.ts'
import type { NodeReport } from '../../db/writes/presence.ts'
import { advanceCaRotation } from '../pki/ca-rotation.ts'
import { Pending, type PendingNode } from './presence-pending.ts'

interface PresenceMeans {
  readonly operator: Operator
  readonly log: Logger
  /** Milliseconds between the end of one write and the next; null: only `flush` writes. */
  readonly interval?: number | null
}

/** How often a present node without news is written, in milliseconds. */
export const presenceResolution = 60_000

/**
 * Collects in memory what agents report and when they were seen, and writes it in one transaction per interval, for any
 * number of nodes. Data collected since the last write is lost when the process is killed. Callers pass the node of a
 * credential, never one that a request names.
 */
export class Presence {
  readonly #operator: Operator
  readonly #log: Logger
  readonly #interval: number | null
  /** When a node was last recorded, for the resolution; the oldest entry first. */
  readonly #noted = new Map<string, number>()
  #pending = new Pending()
  /** The states that are being written. */
  #writing = new Pending()
  readonly #flushing = new Mutex()
  #timer: NodeJS.Timeout | null = null
  #busy = false
  #failures = 0
  #stopped = false

  constructor({ operator, log, interval = 1000 }: PresenceMeans) {
    this.#operator = operator
    this.#log = log
    this.#interval = interval
  }

  /** Records that a node's agent is present. Cheap: called with each of its requests, and each check of its streams. */
  seen(nodeId: string): void {
    const now = Date.now()
    const before = this.#noted.get(nodeId)
    if (before !== undefined && now >= before && now - before < presenceResolution) return
    this.#note(nodeId, now)
    this.#pending.add(nodeId, { seenAt: now, clusterId: null, report: null })
    this.#plan()
  }

  /**
   * Records the report of a node's agent.
   * @returns all values that are not in the node's row yet
   */
  report({ nodeId, clusterId }: { nodeId: string; clusterId: string }, report: NodeReport): PendingNode {
    const pending = this.#pending.add(nodeId, { seenAt: Date.now(), clusterId, report })
    this.#plan()
    const earlier = this.#writing.get(nodeId)
    return earlier === undefined ? pending : new Pending([[nodeId, earlier]]).add(nodeId, pending)
  }

  /**
   * Writes the collected states. A state that cannot be written stays; newer values take precedence.
   * @throws errors of the database
   */
  flush(): Promise<void> {
    return this.#flushing.alone(() => this.#write())
  }

  /** Writes the remaining states and accepts no more. @throws errors of the database, if they occur twice */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    try {
      await this.flush()
    } catch {
      await this.flush()
    }
  }

  #plan(): void {
    if (this.#interval === null || this.#timer !== null || this.#busy || this.#stopped) return
    this.#timer = setTimeout(() => void this.#flushInTime(), this.#interval)
  }

  async #flushInTime(): Promise<void> {
    this.#timer = null
    this.#busy = true
    try {
      await this.flush()
      if (this.#failures > 0) this.#log.info({ failures: this.#failures }, 'what nodes report is written again')
      this.#failures = 0
    } catch (error) {
      // Logged once, not every second.
      if (this.#failures === 0) this.#log.error({ err: error }, 'what nodes report was not written; it is kept')
      this.#failures += 1
    }
    this.#busy = false
    if (this.#pending.size > 0) this.#plan()
  }

  async #write(): Promise<void> {
    this.#forget()
    if (this.#pending.size === 0) return
    this.#writing = this.#pending
    this.#pending = new Pending()
    let reporting: ReadonlySet<string>
    try {
      const { written, skipped } = await this.#operator.presence.write(this.#writing.all(), presenceResolution)
      reporting = this.#writing.reportingClusters()
      for (const { nodeId } of written) this.#note(nodeId, this.#writing.get(nodeId)?.seenAt ?? 0)
      for (const [clusterId, nodes] of this.#writing.changes(written)) {
        this.#operator.changes.emit({ kind: 'reported', clusterId, nodes })
      }
      this.#pending.addOlder(this.#writing, skipped)
    } catch (error) {
      this.#pending.addOlder(this.#writing)
      throw error
    } finally {
      this.#writing = new Pending()
    }
    await this.#advance(reporting)
  }

  /** CA rotations wait for reports. The master's next sweep retries one that fails here. */
  async #advance(clusterIds: ReadonlySet<string>): Promise<void> {
    if (clusterIds.size === 0) return
    try {
      const where = { caRotationPhase: { not: null } }
      const rotating = await this.#operator.db.cluster.findMany({ where, select: { id: true } })
      for (const { id } of rotating) if (clusterIds.has(id)) await advanceCaRotation(this.#operator, id)
    } catch (error) {
      this.#log.error({ err: error }, 'a CA’s rotation did not go on')
    }
  }

  #note(nodeId: string, at: number): void {
    // Inserted anew at the end, since the map keeps the order of insertion.
    this.#noted.delete(nodeId)
    this.#noted.set(nodeId, at)
  }

  #forget(): void {
    const now = Date.now()
    for (const [nodeId, at] of this.#noted) {
      if (now - at < presenceResolution) break
      this.#noted.delete(nodeId)
    }
  }
}
