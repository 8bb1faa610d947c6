import { scopeConditions } from '../client/scope-condition.ts'
import type { Engine, Node } from '../client/types.ts'
import { read, type Source } from './pages.ts'
import { timeText } from './row-values.ts'
import { all, raw, sql, type Sql } from './sql.ts'

/** From the worst to the best. A node has the first of them that applies to it. */
export const nodeStatuses = ['BLOCKED', 'PENDING', 'OFFLINE', 'FAILING', 'OUTDATED', 'ONLINE'] as const
export type NodeStatus = (typeof nodeStatuses)[number]

/** What a status is measured against. */
export interface StatusTimes {
  /** Certificates that have expired by then are of no use. */
  readonly now: Date
  /** A node that was not seen since then is offline. */
  readonly seenSince: Date
}

/** The newest published version of a cluster, along idx_config_bundles_cluster_version; 0 when there is none. */
export const newestVersion = (tenantId: Sql, clusterId: Sql): Sql =>
  sql`coalesce((SELECT max(b.version) FROM config_bundles b
    WHERE b.tenant_id = ${tenantId} AND b.cluster_id = ${clusterId}), 0)`

/** The newest published version of the cluster of node `x`. */
const ownNewest = newestVersion(sql`x.tenant_id`, sql`x.cluster_id`)

/** Whether node `x` runs an older version than the newest published one, or none. */
export const isOutdated = (newest: Sql = ownNewest): Sql => sql`(coalesce(x.running_config_version, 0) < ${newest})`

/** Whether node `x` has failed, as `Cluster.convergence` counts it. Its certificate must not be null. */
export const isFailing = ({ now }: StatusTimes, newest: Sql = ownNewest): Sql =>
  sql`(x.certificate_expires_at <= ${timeText(now.getTime())}
    OR (x.last_error IS NOT NULL AND ${isOutdated(newest)}))`

/** Whether node `x` was not seen since then, or never. */
export const isUnseen = (since: Date): Sql =>
  sql`(x.last_seen_at IS NULL OR x.last_seen_at < ${timeText(since.getTime())})`

/**
 * The status of node `x`: the only description of it in the program.
 * @param newest the newest published version of its cluster, where it is known without looking it up for each row
 */
export const nodeStatus = (times: StatusTimes, newest: Sql = ownNewest): Sql =>
  sql`CASE WHEN x.blocked_at IS NOT NULL THEN 'BLOCKED' WHEN x.certificate IS NULL THEN 'PENDING'
    WHEN ${isUnseen(times.seenSince)} THEN 'OFFLINE' WHEN ${isFailing(times, newest)} THEN 'FAILING'
    WHEN ${isOutdated(newest)} THEN 'OUTDATED' ELSE 'ONLINE' END`

/** The columns that a status depends on, with their types in PostgreSQL. */
const columns = {
  tenant_id: 'text',
  cluster_id: 'text',
  blocked_at: 'timestamp(3)',
  certificate: 'text',
  certificate_expires_at: 'timestamp(3)',
  last_seen_at: 'timestamp(3)',
  last_error: 'text',
  running_config_version: 'integer',
} as const

/** What a node's status depends on. */
export type StatusFields = Pick<
  Node,
  | 'tenantId'
  | 'clusterId'
  | 'blockedAt'
  | 'certificate'
  | 'certificateExpiresAt'
  | 'lastSeenAt'
  | 'lastError'
  | 'runningConfigVersion'
>

/** What a node's status depends on, as a JSON text. Nodes with the same text have the same status. */
export function statusKey(node: StatusFields): string {
  const time = (value: Date | null) => value && timeText(value.getTime())
  // Of two long texts, only whether they are there matters.
  const presence = (value: string | null) => (value === null ? null : '')
  const row: Record<keyof typeof columns, string | number | null> = {
    tenant_id: node.tenantId,
    cluster_id: node.clusterId,
    blocked_at: time(node.blockedAt),
    certificate: presence(node.certificate),
    certificate_expires_at: time(node.certificateExpiresAt),
    last_seen_at: time(node.lastSeenAt),
    last_error: presence(node.lastError),
    running_config_version: node.runningConfigVersion,
  }
  return JSON.stringify(row)
}

/**
 * The status of each of some nodes whose rows are known already, also of rows that are deleted or not yet committed, in
 * one statement that reads no node. No figure of docs/performance.md; it is SQL so that no second description exists.
 * @param keys of `statusKey`
 * @returns by key; without nodes that are not in the scope
 */
export async function readNodeStatuses(
  source: Source,
  keys: readonly string[],
  times: StatusTimes,
): Promise<Map<string, NodeStatus>> {
  const rows = await read(
    source,
    sql`SELECT x.place, ${nodeStatus(times)} AS status FROM (${table(source.engine, `[${keys.join()}]`)}) x
      WHERE ${all(scopeConditions('nodes', source.scope))}`,
  )
  // The expression has no other values.
  return new Map(rows.map(({ place, status }) => [keys[Number(place)] ?? '', status as NodeStatus]))
}

/** The objects of a JSON list as a table, with their places in the list. */
function table(engine: Engine, list: string): Sql {
  const names = Object.entries(columns)
  if (engine === 'sqlite') {
    const values = names.map(([name]) => `value->>'${name}' AS ${name}`).join(', ')
    return sql`SELECT key AS place, ${raw(values)} FROM json_each(${list})`
  }
  const types = names.map(([name, type]) => `${name} ${type}`).join(', ')
  return sql`SELECT each.place - 1 AS place, one.*
    FROM jsonb_array_elements(${list}::jsonb) WITH ORDINALITY AS each(value, place),
      jsonb_to_record(each.value) AS one(${raw(types)})`
}
