import type { Connection } from '../../src/db/client/connection.ts'

type Row = Record<string, string | number | null>

let serial = 100

/** The columns without a default, with values that no other row has. */
function required(table: string): Row {
  serial += 1
  const own = `own-${serial}`
  const rows: Record<string, Row> = {
    tenants: { id: own, name: own },
    clusters: { id: own, tenant_id: 'a', name: own, cluster_token_hash: own, firewall: '{}' },
    cluster_state: { cluster_id: 'a1', instance_id: own, running_config_version: 1 },
    replicas: { id: own, address: own },
    nodes: { ...{ id: own, tenant_id: 'a', cluster_id: 'a1', name: own, token_hash: own }, overlay_ip: own, ...lists },
    credentials: { id: own, kind: 'replaced_token', token_hash: own, name: own },
    config_bundles: { version: serial, tenant_id: 'a', cluster_id: 'a1', data: 'x', sha256: own, size: 1 },
  }
  return rows[table] ?? {}
}
const lists = { routes: '[]', groups: '[]' }

/** Inserts a row directly into the table, without the program's rules: only the database can refuse it. */
export async function insert(connection: Connection, table: string, values: Row): Promise<void> {
  const row = Object.entries({ ...required(table), ...values })
  const columns = row.map(([column]) => `"${column}"`)
  const places = row.map((_, index) => `$${index + 1}`)
  const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places.join(', ')})`
  await connection.query(
    sql,
    row.map(([, value]) => value),
  )
}

/** A row of every table for two tenants, `a` and `b`: cluster `a1` with node `n1`, which uploaded a bundle; `b1`, `n2`. */
export async function insertBasics(connection: Connection): Promise<void> {
  await insert(connection, 'replicas', { id: 'r1' })
  for (const [tenant_id, cluster_id, node] of [
    ['a', 'a1', 'n1'],
    ['b', 'b1', 'n2'],
  ] as const) {
    await insert(connection, 'tenants', { id: tenant_id })
    await insert(connection, 'clusters', { id: cluster_id, tenant_id })
    await insert(connection, 'cluster_state', { cluster_id, instance_id: 'r1' })
    await insert(connection, 'nodes', { id: node, tenant_id, cluster_id })
    await insert(connection, 'config_bundles', { tenant_id, cluster_id, created_by: node })
  }
}
