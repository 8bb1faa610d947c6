import type { TestApp } from '../support/app.ts'

/** A row of any table that a mutation may change, with whose it is. */
interface Row {
  readonly id: string
  readonly text: string
  readonly tenantId: string | null
  readonly clusterId: string | null
}

/** All rows by their place: the table and the key. */
export type Rows = ReadonlyMap<string, Row>

/** Reads all tables but the audit trail itself. */
export async function allRows({ database: { client } }: TestApp): Promise<Rows> {
  const tables = {
    tenants: (await client.tenant.findMany()).map((row) => ({ ...row, tenantId: row.id, clusterId: null })),
    clusters: (await client.cluster.findMany()).map((row) => ({ ...row, clusterId: row.id })),
    nodes: await client.node.findMany(),
    credentials: await client.credential.findMany(),
    bundles: (await client.configBundle.findMany({ omit: { data: true } })).map((row) => ({
      ...row,
      id: `${row.clusterId}/${row.version}`,
    })),
    states: (await client.clusterState.findMany({ include: { cluster: { select: { tenantId: true } } } })).map(
      ({ cluster, ...row }) => ({ ...row, ...cluster, id: `${row.clusterId}/${row.instanceId}` }),
    ),
    replicas: (await client.replica.findMany()).map((row) => ({ ...row, tenantId: null, clusterId: null })),
  }
  return new Map(
    Object.entries(tables).flatMap(([table, rows]) =>
      rows.map((row): [string, Row] => {
        const { id, tenantId, clusterId } = row
        return [`${table} ${id}`, { id, tenantId, clusterId, text: JSON.stringify(row) }]
      }),
    ),
  )
}

/** The rows that were added, changed or removed. */
export function changedRows(before: Rows, after: Rows): Row[] {
  const places = new Set([...before.keys(), ...after.keys()])
  return [...places].flatMap((place) => {
    const [old, present] = [before.get(place), after.get(place)]
    const row = present ?? old
    return row === undefined || old?.text === present?.text ? [] : [row]
  })
}

/** The one tenant or cluster that all of the rows belong to which belong to one; null when none does. */
export function ownerOf(rows: readonly Row[], column: 'tenantId' | 'clusterId'): string | null {
  const owners = new Set(rows.map((row) => row[column]).filter((owner) => owner !== null))
  if (owners.size > 1) throw new Error(`rows of several owners were changed: ${[...owners].join()}`)
  return [...owners][0] ?? null
}
