import type { Driver, Row } from './sql-driver.ts'

interface OfCluster {
  readonly tenantId: string
  readonly clusterId: string
}

const nodeColumns =
  'n.id, n.name, n.overlay_ip, n.groups, n.routes, n.is_lighthouse, n.is_relay, n.certificate_fingerprint, ' +
  'n.certificate_expires_at, n.last_seen_at, n.running_config_version, n.nebula_version, n.last_error'

/** The read operations; each returns the same `data` as Orrery's GraphQL answer. */
export function reads({ engine, run }: Driver) {
  const latestVersion = async ({ tenantId, clusterId }: OfCluster): Promise<number> => {
    const sql =
      'SELECT version FROM config_bundles WHERE tenant_id = $1 AND cluster_id = $2 ORDER BY version DESC LIMIT 1'
    return Number((await run(sql, tenantId, clusterId))[0]?.['version'])
  }

  const archive = async ({ tenantId, clusterId }: OfCluster, version: number): Promise<Buffer> => {
    const sql = 'SELECT data FROM config_bundles WHERE tenant_id = $1 AND cluster_id = $2 AND version = $3'
    return (await run(sql, tenantId, clusterId, version))[0]?.['data'] as Buffer
  }

  const poll = async ({ tenantId, clusterId }: OfCluster) => {
    const sql =
      'SELECT c.config_version, (SELECT max(b.version) FROM config_bundles b ' +
      'WHERE b.tenant_id = c.tenant_id AND b.cluster_id = c.id) AS latest FROM clusters c WHERE c.tenant_id = $1 AND c.id = $2'
    const [row] = await run(sql, tenantId, clusterId)
    return { viewer: { cluster: { configVersion: row?.['config_version'], latestBundleVersion: row?.['latest'] } } }
  }

  const page = async (tenantId: string, clusterId: string, first: number, isCounted = false) => {
    const sql =
      `SELECT ${nodeColumns}, c.id AS c_id, c.name AS c_name, c.config_version AS c_version FROM nodes n ` +
      'JOIN clusters c ON c.id = n.cluster_id WHERE n.tenant_id = $1 AND n.cluster_id = $2 ORDER BY n.name LIMIT $3'
    // One row more than requested shows whether there is a next page.
    const rows = await run(sql, tenantId, clusterId, first + 1)
    const shown = rows.slice(0, first)
    const pageInfo = { hasNextPage: rows.length > first, endCursor: cursorOf(shown.at(-1)) }
    const count = 'SELECT count(*) AS count FROM nodes WHERE tenant_id = $1 AND cluster_id = $2'
    const total = isCounted ? { totalCount: Number((await run(count, tenantId, clusterId))[0]?.['count']) } : {}
    return { nodes: { ...total, nodes: shown.map(nodeOf), pageInfo } }
  }

  const deep = async () => {
    const tenants = await run('SELECT id, name FROM tenants ORDER BY name LIMIT 10')
    const nodesOf = engine === 'sqlite' ? nodesOneByOne : nodesAtOnce
    const clusters = (
      await Promise.all(
        tenants.map(({ id }) =>
          run(
            'SELECT id, tenant_id, name, config_version FROM clusters WHERE tenant_id = $1 ORDER BY name LIMIT 5',
            String(id),
          ),
        ),
      )
    ).flat()
    const nodes = grouped(await nodesOf(clusters), 'cluster_id')
    const clusterOf = ({ id, name, config_version: configVersion }: Row) => {
      const own = (nodes.get(id) ?? []).map((row) => ({ name: row['name'], overlayIp: row['overlay_ip'] }))
      return { name, configVersion, nodes: { nodes: own } }
    }
    const byTenant = grouped(clusters, 'tenant_id')
    const list = tenants.map(({ id, name }) => ({ name, clusters: { nodes: (byTenant.get(id) ?? []).map(clusterOf) } }))
    return { tenants: { nodes: list } }
  }

  /** SQLite runs in the process, so one statement per cluster is the fastest. */
  const nodesOneByOne = async (clusters: readonly Row[]): Promise<Row[]> => {
    const sql =
      'SELECT cluster_id, name, overlay_ip FROM nodes WHERE tenant_id = $1 AND cluster_id = $2 ORDER BY name LIMIT 10'
    const lists = await Promise.all(clusters.map((row) => run(sql, String(row['tenant_id']), String(row['id']))))
    return lists.flat()
  }

  const nodesAtOnce = (clusters: readonly Row[]): Promise<Row[]> =>
    run(
      'SELECT n.cluster_id, n.name, n.overlay_ip FROM clusters c, LATERAL (SELECT cluster_id, name, overlay_ip FROM nodes ' +
        'WHERE tenant_id = c.tenant_id AND cluster_id = c.id ORDER BY name LIMIT 10) n ' +
        "WHERE c.id = ANY (string_to_array($1, ','))",
      clusters.map(({ id }) => String(id)).join(','),
    )

  return { latestVersion, archive, poll, page, deep }
}

function grouped(rows: readonly Row[], column: string): Map<unknown, Row[]> {
  const groups = new Map<unknown, Row[]>()
  for (const row of rows) {
    const group = groups.get(row[column])
    if (group) group.push(row)
    else groups.set(row[column], [row])
  }
  return groups
}

function nodeOf(row: Row) {
  return {
    id: row['id'],
    name: row['name'],
    overlayIp: row['overlay_ip'],
    groups: json(row['groups']),
    routes: json(row['routes']),
    isLighthouse: Boolean(row['is_lighthouse']),
    isRelay: Boolean(row['is_relay']),
    certificateFingerprint: row['certificate_fingerprint'],
    certificateExpiresAt: time(row['certificate_expires_at']),
    lastSeenAt: time(row['last_seen_at']),
    runningConfigVersion: row['running_config_version'],
    nebulaVersion: row['nebula_version'],
    lastError: row['last_error'],
    cluster: { id: row['c_id'], name: row['c_name'], configVersion: row['c_version'] },
  }
}

/** PostgreSQL's driver has parsed it already. */
const json = (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : value)

const time = (value: unknown): string | null => (value === null ? null : new Date(value as string | Date).toISOString())

const cursorOf = (row: Row | undefined): string =>
  Buffer.from(JSON.stringify([row?.['name'], row?.['id']])).toString('base64url')
