import type { Database } from './client.ts'
import { Prisma } from './generated/sqlite/client.ts'
import { all, raw, scopeConditions, sql, type Sql } from './pages.ts'
import type { RowScope } from './types.ts'

/** How far a cluster's nodes that have a certificate have come, as numbers of nodes. */
export interface ConvergenceFigures {
  readonly clusterId: string
  /** The newest published version; null before the first. */
  readonly version: number | null
  readonly total: number
  /** Run that version, or a later one. */
  readonly applied: number
  /** Do not, and reported an error. */
  readonly failed: number
  /** The lowest version that one of them runs; 0 where one runs none. */
  readonly lowest: number | null
  /** When the oldest version that was published after `lowest` was; null when there is none. */
  readonly behindSince: Date | null
}

/** Counts one caller's nodes: every statement carries the caller's own condition. */
export interface ConvergenceReader {
  /** In one statement, along indexes alone; clusters that are not the caller's are missing. */
  figures(clusterIds: readonly string[]): Promise<ConvergenceFigures[]>
  /** The same for the nodes that were not seen since; reads each node's row. By the cluster's id, where there are any. */
  unseenSince(time: Date, clusterIds: readonly string[]): Promise<Map<string, number>>
}

interface FiguresRow {
  readonly id: string
  readonly version: number | bigint | null
  readonly total: number | bigint
  readonly applied: number | bigint
  readonly failed: number | bigint
  readonly lowest: number | bigint | null
  readonly behindSince: Date | string | null
}

/** Makes the reader of one scope. */
export function convergenceReader({ client, engine }: Database, scope: RowScope): ConvergenceReader {
  /** The certified nodes of cluster `c`, along an index: SQLite keeps no statistics to choose it by. */
  const nodes = (index: string, ...conditions: Sql[]): Sql => {
    const table = raw(engine === 'sqlite' ? `nodes x INDEXED BY ${index}` : 'nodes x')
    const own = sql`x.tenant_id = c.tenant_id AND x.cluster_id = c.id AND x.certificate IS NOT NULL`
    return sql`FROM ${table} WHERE ${all([own, ...conditions])}`
  }
  const byVersion = (...conditions: Sql[]) => nodes('idx_nodes_running_version', ...conditions)
  return {
    async figures(clusterIds) {
      if (clusterIds.length === 0) return []
      const where = all([sql`x.id IN (${Prisma.join(clusterIds)})`, ...scopeConditions('clusters', scope)])
      const bundles = sql`FROM config_bundles b WHERE b.tenant_id = x.tenant_id AND b.cluster_id = x.id`
      // Materialized: else the newest version is looked up once for each node.
      const rows = await client.$queryRaw<FiguresRow[]>(sql`
        SELECT x.id AS "id", x.version AS "version", x.total AS "total", x.applied AS "applied", x.failed AS "failed",
          x.lowest AS "lowest", (SELECT b.created_at ${bundles} AND b.version > x.lowest
            ORDER BY b.version LIMIT 1) AS "behindSince"
        FROM (
          WITH c AS MATERIALIZED (
            SELECT x.id, x.tenant_id, (SELECT max(b.version) ${bundles}) AS version FROM clusters x WHERE ${where})
          SELECT c.id, c.tenant_id, c.version,
            (SELECT count(*) ${byVersion()}) AS total,
            (SELECT count(*) ${byVersion(sql`x.running_config_version >= c.version`)}) AS applied,
            (SELECT count(*) ${nodes(
              'idx_nodes_failing',
              sql`x.last_error IS NOT NULL`,
              sql`coalesce(x.running_config_version, 0) < c.version`,
            )}) AS failed,
            CASE WHEN EXISTS (SELECT 1 ${byVersion(sql`x.running_config_version IS NULL`)}) THEN 0
              ELSE (SELECT min(x.running_config_version) ${byVersion()}) END AS lowest
          FROM c) x`)
      return rows.map(({ id, version, total, applied, failed, lowest, behindSince }) => ({
        clusterId: id,
        version: version === null ? null : Number(version),
        total: Number(total),
        applied: Number(applied),
        failed: Number(failed),
        lowest: lowest === null ? null : Number(lowest),
        behindSince: behindSince === null ? null : new Date(behindSince),
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
