import { breaks, inPieces } from '../../base/pieces.ts'
import type { BulkRow } from './bulk.ts'
import type { Database } from '../client/client.ts'
import { timeText } from '../reads/row-values.ts'
import type { Engine } from '../client/types.ts'

/** When a node was seen, and its latest report. */
export interface NodePresence {
  readonly nodeId: string
  /** Milliseconds since 1970. */
  readonly seenAt: number
  readonly report: NodeReport | null
}

/** Absent fields keep their last reported values. */
export interface NodeReport {
  readonly runningConfigVersion?: number | undefined
  readonly nebulaVersion?: string | undefined
  readonly lastError: string | null
}

/** A row that was written. */
export interface WrittenPresence {
  readonly nodeId: string
  readonly clusterId: string
  /** The version that the node ran before; null if it had reported none. */
  readonly versionBefore: number | null
}

export interface PresenceOutcome {
  readonly written: readonly WrittenPresence[]
  /** Ids of rows that another transaction had locked: they must be written with the next batch. */
  readonly skipped: readonly string[]
}

/** Writes the reports of nodes' agents, of any tenant: for callers that received them from the nodes themselves. */
export interface PresenceStore {
  /**
   * One transaction, with a few statements per thousand nodes. Skips rows that no longer exist, and rows with the same
   * values that were seen less than `resolution` milliseconds before or after.
   * @param presences at most one per node
   */
  write(presences: readonly NodePresence[], resolution: number): Promise<PresenceOutcome>
}

/** Nodes in one statement. */
const chunkSize = 500

/** Creates the only writer of nodes' reports and of when they were seen. */
export function presenceStore({ engine, bulk }: Database): PresenceStore {
  const statements = engine === 'sqlite' ? sqliteStatements : postgresqlStatements
  return {
    async write(presences, resolution) {
      const chunks: string[] = []
      for await (const piece of inPieces(presences, chunkSize)) {
        chunks.push(JSON.stringify(piece.map((one) => valuesOf(one, resolution))))
      }
      const written: WrittenPresence[] = []
      const skipped: string[] = []
      const pause = breaks()
      for (const rows of await bulk({ statements, chunks })) {
        for (const row of rows) {
          if (isTrue(row['skipped'])) skipped.push(String(row['id']))
          else written.push(writtenOf(row))
        }
        await pause()
      }
      return { written, skipped }
    },
  }
}

/** In the order in which `given` reads them. */
function valuesOf({ nodeId, seenAt, report }: NodePresence, resolution: number): unknown[] {
  const times = [seenAt, seenAt - resolution, seenAt + resolution].map(timeText)
  if (report === null) return [nodeId, ...times, false, null, null, null]
  const { runningConfigVersion = null, nebulaVersion = null, lastError } = report
  return [nodeId, ...times, true, runningConfigVersion, nebulaVersion, lastError]
}

const isTrue = (value: unknown): boolean => value === true || Number(value) === 1

const writtenOf = ({ id, clusterId, versionBefore }: BulkRow): WrittenPresence => ({
  nodeId: String(id),
  clusterId: String(clusterId),
  versionBefore: versionBefore === null ? null : Number(versionBefore),
})

/** The statement's JSON as rows. */
function given(engine: Engine): string {
  const [source, time, flag, number] =
    engine === 'sqlite'
      ? ['json_each(?)', '', '', '']
      : ['jsonb_array_elements($1::jsonb) AS each(value)', '::timestamp(3)', '::boolean', '::integer']
  return `SELECT value->>0 AS id, (value->>1)${time} AS seen_at, (value->>2)${time} AS not_before, (value->>3)${time} AS not_after,
    (value->>4)${flag} AS is_report, (value->>5)${number} AS version, value->>6 AS nebula_version, value->>7 AS error
    FROM ${source}`
}

/** Whether node `n` differs from `v`. Also true for a node that a wrong clock recorded in the future. */
const isNews = `(n.last_seen_at IS NULL OR NOT (n.last_seen_at > v.not_before AND n.last_seen_at < v.not_after)
  OR (v.is_report AND (coalesce(v.version, n.running_config_version) IS DISTINCT FROM n.running_config_version
    OR coalesce(v.nebula_version, n.nebula_version) IS DISTINCT FROM n.nebula_version
    OR v.error IS DISTINCT FROM n.last_error)))`

const assignments = `last_seen_at = v.seen_at,
  running_config_version = coalesce(v.version, n.running_config_version),
  nebula_version = coalesce(v.nebula_version, n.nebula_version),
  last_error = CASE WHEN v.is_report THEN v.error ELSE n.last_error END`

/** Two statements, since SQLite's RETURNING cannot show the previous values; no other write happens between them. */
const sqliteStatements = [
  `SELECT n.id AS "id", n.cluster_id AS "clusterId", n.running_config_version AS "versionBefore", 0 AS "skipped"
   FROM (${given('sqlite')}) v CROSS JOIN nodes n ON n.id = v.id WHERE ${isNews}`,
  `UPDATE nodes AS n SET ${assignments} FROM (${given('sqlite')}) v WHERE n.id = v.id AND ${isNews}`,
]

/**
 * Rows that are locked are left for the next batch: two instances that write the same nodes, or one that signs a whole
 * cluster, neither wait for this nor can they deadlock with it. The outer statement reads the previous values of the
 * rows.
 */
const postgresqlStatements = [
  `WITH v AS MATERIALIZED (${given('postgresql')}),
   mine AS MATERIALIZED (
     SELECT n.id FROM v JOIN nodes n ON n.id = v.id WHERE ${isNews} FOR NO KEY UPDATE OF n SKIP LOCKED),
   done AS (UPDATE nodes n SET ${assignments} FROM v, mine WHERE n.id = v.id AND mine.id = n.id)
   SELECT n.id AS "id", n.cluster_id AS "clusterId", n.running_config_version AS "versionBefore",
     mine.id IS NULL AS "skipped"
   FROM v JOIN nodes n ON n.id = v.id LEFT JOIN mine ON mine.id = n.id WHERE ${isNews}`,
]
