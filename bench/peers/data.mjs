// The data layer of Mercurius and Apollo Server: prepared statements on the driver, one for a whole list of ids where
// their loaders ask for several. A layer on an ORM would be slower.

/** Reads rows with parameters `$1`, `$2`, … (each used once, in order), on either engine. */
export async function openData(url) {
  const { isSqlite, run } = url.startsWith('file:') ? await sqlite(url.slice(5)) : await postgresql(url)
  const inList = (ids) => (isSqlite ? `IN (${ids.map(() => '?').join(', ')})` : '= ANY ($1)')
  const listed = (ids) => (isSqlite ? ids : [ids])

  return {
    async nodeByTokenHash(hash) {
      const [row] = await run('SELECT * FROM nodes WHERE token_hash = $1', [hash])
      return row ? nodeOf(row) : null
    },
    async tenantExists(id) {
      return (await run('SELECT id FROM tenants WHERE id = $1', [id])).length > 0
    },
    tenants: (first) => run('SELECT id, name FROM tenants ORDER BY name LIMIT $1', [first]),
    async nodesPage(tenantId, clusterId, first) {
      const sql = 'SELECT * FROM nodes WHERE tenant_id = $1 AND cluster_id = $2 ORDER BY name LIMIT $3'
      return (await run(sql, [tenantId, clusterId, first + 1])).map(nodeOf)
    },
    async countNodes(tenantId, clusterId) {
      const sql = 'SELECT count(*) AS count FROM nodes WHERE tenant_id = $1 AND cluster_id = $2'
      return Number((await run(sql, [tenantId, clusterId]))[0].count)
    },
    /** A cluster or null for each id; null for another tenant's. */
    async clustersByIds(tenantId, ids) {
      const rows = await run(`SELECT * FROM clusters WHERE id ${inList(ids)}`, listed(ids))
      const byId = new Map(rows.map((row) => [row.id, clusterOf(row)]))
      return ids.map((id) => {
        const cluster = byId.get(id)
        return cluster && (tenantId === null || cluster.tenantId === tenantId) ? cluster : null
      })
    },
    async latestVersions(ids) {
      const sql = `SELECT cluster_id, max(version) AS version FROM config_bundles WHERE cluster_id ${inList(ids)} GROUP BY cluster_id`
      const byId = new Map((await run(sql, listed(ids))).map((row) => [row.cluster_id, row.version]))
      return ids.map((id) => byId.get(id) ?? null)
    },
    /** For each tenant, its first clusters. */
    async clustersOfTenants(ids, first) {
      const lists = await Promise.all(
        ids.map((id) => run('SELECT * FROM clusters WHERE tenant_id = $1 ORDER BY name LIMIT $2', [id, first])),
      )
      return lists.map((rows) => rows.map(clusterOf))
    },
    /** For each cluster, its first nodes. */
    async nodesOfClusters(clusters, first) {
      const sql = 'SELECT * FROM nodes WHERE tenant_id = $1 AND cluster_id = $2 ORDER BY name LIMIT $3'
      const lists = await Promise.all(clusters.map(({ id, tenantId }) => run(sql, [tenantId, id, first])))
      return lists.map((rows) => rows.map(nodeOf))
    },
  }
}

async function sqlite(file) {
  const { default: Sqlite } = await import('better-sqlite3')
  const database = new Sqlite(file, { timeout: 5000 })
  database.pragma('journal_mode = WAL')
  const statements = new Map()
  const run = (sql, values) => {
    let statement = statements.get(sql)
    if (!statement) statements.set(sql, (statement = database.prepare(sql.replace(/\$\d+/g, '?'))))
    return statement.all(values)
  }
  return { isSqlite: true, run }
}

async function postgresql(url) {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  const names = new Map()
  const run = async (text, values) => {
    if (!names.has(text)) names.set(text, `s${names.size}`)
    return (await pool.query({ name: names.get(text), text, values })).rows
  }
  return { isSqlite: false, run }
}

const json = (value) => (typeof value === 'string' ? JSON.parse(value) : value)
const time = (value) => (value === null ? null : new Date(value).toISOString())

const nodeOf = (row) => ({
  id: row.id,
  tenantId: row.tenant_id,
  clusterId: row.cluster_id,
  tokenHash: row.token_hash,
  name: row.name,
  overlayIp: row.overlay_ip,
  groups: json(row.groups),
  routes: json(row.routes),
  isLighthouse: Boolean(row.is_lighthouse),
  isRelay: Boolean(row.is_relay),
  certificateFingerprint: row.certificate_fingerprint,
  certificateExpiresAt: time(row.certificate_expires_at),
  lastSeenAt: time(row.last_seen_at),
  runningConfigVersion: row.running_config_version,
  nebulaVersion: row.nebula_version,
  lastError: row.last_error,
})

const clusterOf = (row) => ({
  id: row.id,
  tenantId: row.tenant_id,
  name: row.name,
  configVersion: row.config_version,
})
