import { scopeConditions } from '../client/scope-condition.ts'
import { isUnseen } from './node-status.ts'
import { among, read, type Source } from './pages.ts'
import { timeOf, timeText } from './row-values.ts'
import { all, join, raw, sql, type Sql } from './sql.ts'

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

/** The certified nodes of cluster `c`, along an index: SQLite has no statistics to choose it. */
function nodes({ engine }: Source, index: string, ...conditions: Sql[]): Sql {
  const table = raw(engine === 'sqlite' ? `nodes x INDEXED BY ${index}` : 'nodes x')
  const own = sql`x.tenant_id = c.tenant_id AND x.cluster_id = c.id AND x.certificate IS NOT NULL`
  return sql`FROM ${table} WHERE ${all([own, ...conditions])}`
}

const endingBy = (source: Source, time: Date, ...conditions: Sql[]): Sql => {
  const until = sql`x.certificate_expires_at <= ${timeText(time.getTime())}`
  return nodes(source, 'idx_nodes_certificate_ends', until, ...conditions)
}

/** The condition for the given clusters `x` that are in the scope. */
const given = (source: Source, clusterIds: readonly string[]): Sql =>
  all([sql`x.id IN (${among(source, clusterIds)})`, ...scopeConditions('clusters', source.scope)])

/**
 * `Cluster.convergence`. One statement, using only indexes except for nodes whose certificate has expired; no figure of
 * docs/performance.md, but as Prisma it would be eight statements.
 */
export async function readConvergence(
  source: Source,
  clusterIds: readonly string[],
  now: Date,
): Promise<ConvergenceFigures[]> {
  if (clusterIds.length === 0) return []
  const byVersion = (...conditions: Sql[]) => nodes(source, 'idx_nodes_running_version', ...conditions)
  const failing = [sql`x.last_error IS NOT NULL`, sql`coalesce(x.running_config_version, 0) < c.version`]
  const bundles = sql`FROM config_bundles b WHERE b.tenant_id = x.tenant_id AND b.cluster_id = x.id`
  // Materialized: otherwise the newest version is looked up for each node.
  const rows = await read(
    source,
    sql`SELECT x.id, x.version, x.total, x.applied, x.failed, x.ended, x.ended_applied, x.ended_failed, x.lowest,
        x.pki_ca_cert, x.pki_other_ca_cert, (SELECT b.created_at ${bundles} AND b.version > x.lowest
          ORDER BY b.version LIMIT 1) AS behind_since
      FROM (
        WITH c AS MATERIALIZED (
          SELECT x.id, x.tenant_id, x.pki_ca_cert, x.pki_other_ca_cert, (SELECT max(b.version) ${bundles}) AS version
          FROM clusters x WHERE ${given(source, clusterIds)})
        SELECT c.id, c.tenant_id, c.pki_ca_cert, c.pki_other_ca_cert, c.version,
          (SELECT count(*) ${byVersion()}) AS total,
          (SELECT count(*) ${byVersion(sql`x.running_config_version >= c.version`)}) AS applied,
          (SELECT count(*) ${nodes(source, 'idx_nodes_failing', ...failing)}) AS failed,
          (SELECT count(*) ${endingBy(source, now)}) AS ended,
          (SELECT count(*) ${endingBy(source, now, sql`x.running_config_version >= c.version`)}) AS ended_applied,
          (SELECT count(*) ${endingBy(source, now, ...failing)}) AS ended_failed,
          CASE WHEN EXISTS (SELECT 1 ${byVersion(sql`x.running_config_version IS NULL`)}) THEN 0
            ELSE (SELECT min(x.running_config_version) ${byVersion()}) END AS lowest
        FROM c) x`,
  )
  return rows.map((row) => ({
    clusterId: String(row['id']),
    version: numberOf(row['version']),
    total: Number(row['total']),
    applied: Number(row['applied']),
    failed: Number(row['failed']),
    ended: Number(row['ended']),
    endedApplied: Number(row['ended_applied']),
    endedFailed: Number(row['ended_failed']),
    lowest: numberOf(row['lowest']),
    behindSince: typeof row['behind_since'] === 'string' ? timeOf(row['behind_since']) : null,
    pkiCaCert: row['pki_ca_cert'] as string | null,
    pkiOtherCaCert: row['pki_other_ca_cert'] as string | null,
  }))
}

/** PostgreSQL's driver returns counts as text. */
const numberOf = (value: unknown): number | null => (value === null ? null : Number(value))

/**
 * `ClusterConvergence.certificateEndsSoon`, and the watch for certificates that end. One statement along
 * idx_nodes_certificate_ends; no figure of docs/performance.md, but as Prisma it would be a statement for each time.
 */
export async function readEndings(
  source: Source,
  times: readonly Date[],
  clusterIds: readonly string[],
): Promise<EndingFigures[]> {
  if (clusterIds.length === 0) return []
  const counts = times.map((time, index) => sql`(SELECT count(*) ${endingBy(source, time)}) AS ${raw(`"${index}"`)}`)
  const rows = await read(
    source,
    sql`SELECT c.id, c.certificate_lifetime_days AS lifetime, ${join(counts)}
      FROM (SELECT x.id, x.tenant_id, x.certificate_lifetime_days FROM clusters x
        WHERE ${given(source, clusterIds)}) c`,
  )
  return rows.map(({ id, lifetime, ...row }) => ({
    clusterId: String(id),
    lifetimeDays: Number(lifetime),
    until: times.map((_time, index) => Number(row[index])),
  }))
}

/**
 * `ClusterConvergence.unseen`, without zero counts; reads each node's row. No figure of docs/performance.md, but on
 * SQLite, Prisma refuses to count for a thousand clusters at once.
 */
export async function readUnseen(
  source: Source,
  since: Date,
  clusterIds: readonly string[],
): Promise<Map<string, number>> {
  if (clusterIds.length === 0) return new Map()
  const conditions = [
    sql`x.cluster_id IN (${among(source, clusterIds)})`,
    ...scopeConditions('nodes', source.scope),
    sql`x.certificate IS NOT NULL`,
    isUnseen(since),
  ]
  const rows = await read(
    source,
    sql`SELECT x.cluster_id AS id, count(*) AS unseen FROM nodes x WHERE ${all(conditions)} GROUP BY x.cluster_id`,
  )
  return new Map(rows.map(({ id, unseen }) => [String(id), Number(unseen)]))
}
