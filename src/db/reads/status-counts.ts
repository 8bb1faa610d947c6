import { scopeConditions } from '../client/scope-condition.ts'
import { newestVersion, nodeStatus, nodeStatuses, type NodeStatus, type StatusTimes } from './node-status.ts'
import { among, read, type Source } from './pages.ts'
import { all, raw, sql } from './sql.ts'

/** How many nodes of a cluster have each status. */
export type StatusCounts = Readonly<Record<NodeStatus, number>>

/** The counts of a cluster without nodes. */
export const noNodes = Object.fromEntries(nodeStatuses.map((status) => [status, 0])) as StatusCounts

/**
 * The nodes of each of several clusters by status, in one statement that reads each node's row; clusters without nodes
 * are missing. Figure: the fleet of 500 clusters.
 */
export async function readStatusCounts(
  source: Source,
  clusterIds: readonly string[],
  times: StatusTimes,
): Promise<Map<string, StatusCounts>> {
  if (clusterIds.length === 0) return new Map()
  const conditions = [sql`x.id IN (${among(source, clusterIds)})`, ...scopeConditions('clusters', source.scope)]
  // SQLite has no statistics to choose the index.
  const nodes = raw(source.engine === 'sqlite' ? 'nodes x INDEXED BY idx_nodes_tenant_cluster' : 'nodes x')
  // Materialized: otherwise the newest version is looked up for each node.
  const rows = await read(
    source,
    sql`WITH c AS MATERIALIZED (
        SELECT x.id, x.tenant_id, ${newestVersion(sql`x.tenant_id`, sql`x.id`)} AS newest
        FROM clusters x WHERE ${all(conditions)})
      SELECT s.cluster_id, s.status, count(*) AS nodes FROM (
        SELECT c.id AS cluster_id, ${nodeStatus(times, sql`c.newest`)} AS status
        FROM c CROSS JOIN ${nodes} WHERE x.tenant_id = c.tenant_id AND x.cluster_id = c.id) s
      GROUP BY s.cluster_id, s.status`,
  )
  const counts = new Map<string, StatusCounts>()
  for (const { cluster_id: id, status, nodes: count } of rows) {
    counts.set(String(id), { ...(counts.get(String(id)) ?? noNodes), [String(status)]: Number(count) })
  }
  return counts
}
