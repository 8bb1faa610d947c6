import type { Engine, Node, Tx } from '../client/types.ts'
import { type columns, columnOf } from '../client/columns.ts'
import { inPieces } from '../../base/pieces.ts'
import { timeText } from '../reads/row-values.ts'

/** The fields of nodes that one statement can set for many rows, each row with its own values. */
export const settable = [
  'mtu',
  'isRelay',
  'lighthouseRelayUpdatedAt',
  'description',
  'labels',
  'groups',
  'tokenHash',
  'blockedAt',
  'certificate',
  'certificateFingerprint',
  'certificateExpiresAt',
  'supersededCertificates',
] as const satisfies (keyof typeof columns.nodes)[]

/** New values of one node; a field that is absent keeps its value. */
export type NodeValues = { readonly [Field in (typeof settable)[number]]?: Node[Field] }

/** Writes the rows of many nodes of one cluster within a transaction of the caller. */
export interface NodeRowStore {
  /**
   * 250 nodes per statement.
   * @param owner the cluster; one outside of the transaction's scope is refused
   * @param rows new values by the node's id. Nodes that are gone, or belong to another cluster, are not written
   * @returns how many nodes were written
   */
  write(
    tx: Tx,
    owner: { readonly tenantId: string; readonly id: string },
    rows: ReadonlyMap<string, NodeValues>,
  ): Promise<number>
}

/** Nodes in one statement: on SQLite, about five milliseconds. */
const chunkSize = 250

/** Every text that this module runs. A scoped client runs no other statement of SQL (db/client/scoped.ts). */
const known = new Set<string>()

export const isNodeWrite = (statement: unknown): boolean => typeof statement === 'string' && known.has(statement)

/** Creates the only writer of many nodes' settings. */
export const nodeRowStore = ({ engine }: { readonly engine: Engine }): NodeRowStore => ({
  async write(tx, { tenantId, id: clusterId }, rows) {
    // Rows that set the same fields share their statements.
    const groups = new Map<string, [id: string, values: NodeValues][]>()
    for (const [id, values] of rows) {
      const key = fieldsOf(values).join()
      const group = groups.get(key) ?? []
      group.push([id, values])
      groups.set(key, group)
    }
    let written = 0
    for (const some of groups.values()) {
      const fields = fieldsOf(some[0]?.[1] ?? {})
      if (fields.length === 0) continue
      const statement = statementFor(engine, fields)
      for await (const piece of inPieces(some, chunkSize)) {
        const values = piece.map(([id, one]) => [id, ...fields.map((field) => plain(one[field]))])
        const done = await raw(tx).$queryRawUnsafe<unknown[]>(statement, JSON.stringify(values), tenantId, clusterId)
        written += done.length
      }
    }
    return written
  },
})

type Field = (typeof settable)[number]

const fieldsOf = (values: NodeValues): Field[] => settable.filter((field) => values[field] !== undefined)

const plain = (value: unknown): unknown => (value instanceof Date ? timeText(value.getTime()) : value)

/** A transaction's client can run SQL; the type of a scope's transactions hides it, because nothing else may. */
const raw = (tx: Tx) => tx as unknown as { $queryRawUnsafe<T>(sql: string, ...values: unknown[]): Promise<T> }

const json = new Set<Field>(['labels', 'groups', 'supersededCertificates'])
const casts: Readonly<Partial<Record<Field, string>>> = {
  mtu: '::integer',
  isRelay: '::boolean',
  lighthouseRelayUpdatedAt: '::timestamp(3)',
  blockedAt: '::timestamp(3)',
  certificateExpiresAt: '::timestamp(3)',
}

function statementFor(engine: Engine, fields: readonly Field[]): string {
  const isSqlite = engine === 'sqlite'
  const [source, owned] = isSqlite
    ? // The plus signs keep SQLite from reading the whole cluster, and all of the JSON for each of its nodes.
      ['json_each(?) AS each', '+n.tenant_id = ? AND +n.cluster_id = ?']
    : ['jsonb_array_elements($1::jsonb) AS each(value)', 'n.tenant_id = $2 AND n.cluster_id = $3']
  const values = fields.map((field, index) => {
    const place = index + 1
    if (json.has(field)) return `${columnOf('nodes', field)} = each.value->${place}`
    return `${columnOf('nodes', field)} = (each.value->>${place})${isSqlite ? '' : (casts[field] ?? '')}`
  })
  const statement = `UPDATE nodes AS n SET ${values.join(', ')} FROM ${source}
    WHERE n.id = each.value->>0 AND ${owned} RETURNING id AS "id"`
  known.add(statement)
  return statement
}
