import type { Database } from '../client/client.ts'
import { Prisma } from '../generated/sqlite/client.ts'
import { all, raw, scopeConditions, sql, type Sql } from './pages.ts'
import type { RowScope } from '../client/types.ts'

/** The progress of a cluster's nodes that have a certificate, as numbers of nodes. */
export interface ConvergenceFigures {
  readonly clusterId: string
  /** The newest published version; null before the first. */
  readonly version: number | null
  readonly total: number
  /** Nodes that run that version, or a later one. */
  readonly applied: number
  /** Nodes that do not, and reported an error. */
  readonly failed: number
  /** Nodes whose certificate has expired. */
  readonly ended: number
  /** Expired nodes that are counted in `applied`, and in `failed`. */
  readonly endedApplied: number
  readonly endedFailed: number
  /** The lowest version that a node runs; 0 when a node runs none. */
  readonly lowest: number | null
  /** When the oldest version after `lowest` was published; null when there is none. */
  readonly behindSince: Date | null
  /** PEM of the CAs that nodes trust: the signing one, and the other one of a rotation. */
  readonly pkiCaCert: string | null
  readonly pkiOtherCaCert: string | null
}

/** How many of a cluster's certificates expire before each of the given times. */
export interface EndingFigures {
  readonly clusterId: string
  /** The lifetime of the cluster's certificates. */
  readonly lifetimeDays: number
  /** In the order of the times. */
  readonly until: readonly number[]
}

/** Counts the nodes of one scope: every statement has the scope's condition. */
export interface ConvergenceReader {
  /**
   * One statement, using only indexes except for nodes whose certificate has expired; clusters outside the scope are
   * missing.
   */
  figures(clusterIds: readonly string[], now: Date): Promise<ConvergenceFigures[]>
  /**
   * Counts in one statement, along idx_nodes_certificate_ends, the certificates that expire before each time, including
   * expired ones.
   */
  endingUntil(times: readonly Date[], clusterIds: readonly string[]): Promise<EndingFigures[]>
  /** Counts the nodes that were not seen since, by cluster id, without zero counts; reads each node's row. */
  unseenSince(time: Date, clusterIds: readonly string[]): Promise<Map<string, number>>
}

interface FiguresRow {
  readonly id: string
  readonly version: number | bigint | null
  readonly total: number | bigint
  readonly applied: number | bigint
  readonly failed: number | bigint
  readonly ended: number | bigint
  readonly endedApplied: number | bigint
  readonly endedFailed: number | bigint
  readonly lowest: number | bigint | null
  readonly pkiCaCert: string | null
  readonly pkiOtherCaCert: string | null
  readonly behindSince: Date | string | null
}

/** Makes the reader of one scope. */
export function convergenceReader({ client, engine }: Database, scope: RowScope): ConvergenceReader {
  /** The certified nodes of cluster `c`, along an index: SQLite has no statistics to choose it. */
  const nodes = (index: string, ...conditions: Sql[]): Sql => {
    const table = raw(engine === 'sqlite' ? `nodes x INDEXED BY ${index}` : 'nodes x')
    const own = sql`x.tenant_id = c.tenant_id AND x.cluster_id = c.id AND x.certificate IS NOT NULL`
    return sql`FROM ${table} WHERE ${all([own, ...conditions])}`
  }
  const byVersion = (...conditions: Sql[]) => nodes('idx_nodes_running_version', ...conditions)
  const endingBy = (time: Date, ...conditions: Sql[]) =>
    nodes('idx_nodes_certificate_ends', sql`x.certificate_expires_at <= ${time}`, ...conditions)
  const failing = [sql`x.last_error IS NOT NULL`, sql`coalesce(x.running_config_version, 0) < c.version`]
  return {
    async figures(clusterIds, now) {
      if (clusterIds.length === 0) return []
      const where = all([sql`x.id IN (${Prisma.join(clusterIds)})`, ...scopeConditions('clusters', scope)])
      const bundles = sql`FROM config_bundles b WHERE b.tenant_id = x.tenant_id AND b.cluster_id = x.id`
      // Materialized: otherwise the newest version is looked up for each node.
      const rows = await client.$queryRaw<FiguresRow[]>(sql`
        SELECT x.id AS "id", x.version AS "version", x.total AS "total", x.applied AS "applied", x.failed AS "failed",
          x.ended AS "ended", x.ended_applied AS "endedApplied", x.ended_failed AS "endedFailed",
          x.pki_ca_cert AS "pkiCaCert", x.pki_other_ca_cert AS "pkiOtherCaCert", x.lowest AS "lowest", (SELECT b.created_at ${bundles} AND b.version > x.lowest
            ORDER BY b.version LIMIT 1) AS "behindSince"
        FROM (
          WITH c AS MATERIALIZED (
            SELECT x.id, x.tenant_id, x.pki_ca_cert, x.pki_other_ca_cert, (SELECT max(b.version) ${bundles}) AS version FROM clusters x WHERE ${where})
          SELECT c.id, c.tenant_id, c.pki_ca_cert, c.pki_other_ca_cert, c.version,
            (SELECT count(*) ${byVersion()}) AS total,
            (SELECT count(*) ${byVersion(sql`x.running_config_version >= c.version`)}) AS applied,
            (SELECT count(*) ${nodes('idx_nodes_failing', ...failing)}) AS failed,
            (SELECT count(*) ${endingBy(now)}) AS ended,
            (SELECT count(*) ${endingBy(now, sql`x.running_config_version >= c.version`)}) AS ended_applied,
            (SELECT count(*) ${endingBy(now, ...failing)}) AS ended_failed,
            CASE WHEN EXISTS (SELECT 1 ${byVersion(sql`x.running_config_version IS NULL`)}) THEN 0
              ELSE (SELECT min(x.running_config_version) ${byVersion()}) END AS lowest
          FROM c) x`)
      return rows.map(({ id, behindSince, ...row }) => ({
        clusterId: id,
        version: row.version === null ? null : Number(row.version),
        total: Number(row.total),
        applied: Number(row.applied),
        failed: Number(row.failed),
        ended: Number(row.ended),
        endedApplied: Number(row.endedApplied),
        endedFailed: Number(row.endedFailed),
        lowest: row.lowest === null ? null : Number(row.lowest),
        behindSince: behindSince === null ? null : new Date(behindSince),
        pkiCaCert: row.pkiCaCert,
        pkiOtherCaCert: row.pkiOtherCaCert,
      }))
    },
    async endingUntil(times, clusterIds) {
      if (clusterIds.length === 0) return []
      const where = all([sql`x.id IN (${Prisma.join(clusterIds)})`, ...scopeConditions('clusters', scope)])
      const counts = times.map((time, index) => sql`(SELECT count(*) ${endingBy(time)}) AS ${raw(`"${index}"`)}`)
      const rows = await client.$queryRaw<{ id: string; lifetime: number; [count: string]: unknown }[]>(sql`
        SELECT c.id AS "id", c.certificate_lifetime_days AS "lifetime", ${Prisma.join(counts)}
        FROM (SELECT x.id, x.tenant_id, x.certificate_lifetime_days FROM clusters x WHERE ${where}) c`)
      return rows.map(({ id, lifetime, ...row }) => ({
        clusterId: id,
        lifetimeDays: lifetime,
        until: times.map((_time, index) => Number(row[index])),
      }))
    },
    async unseenSince(time, clusterIds) {
      if (clusterIds.length === 0) return new Map()
      const conditions = [
        sql`x.cluster_id IN (${Prisma.join(clusterIds)})`,
        ...scopeConditions('nodes', scope),
        sql`x.certificate IS NOT NULL AND (x.last_seen_at IS NULL OR x.last_seen_at < ${time})`,
      ]
      const rows = await client.$queryRaw<{ id: string; unseen: number | bigint }[]>(sql`
        SELECT x.cluster_id AS "id", count(*) AS "unseen" FROM nodes x WHERE ${all(conditions)} GROUP BY x.cluster_id`)
      return new Map(rows.map(({ id, unseen }) => [id, Number(unseen)]))
    },
  }
}
