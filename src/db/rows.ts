import { columns } from './columns.ts'
import { listOf, type PlainReader, type PlainRow } from './plain-reader.ts'
import { typed } from './row-values.ts'
import { TurnBatches } from './turn-batches.ts'
import type { Cluster, Engine, Node, RowScope, Tenant } from './types.ts'

/** What can be looked up, with the columns that a row is found by. */
interface Tables {
  tenants: { row: Tenant; by: 'id' }
  /** `latestBundleVersion` is no column: the newest version that has a bundle, null when none has. */
  clusters: { row: Cluster & { latestBundleVersion: number | null }; by: 'id' | 'clusterTokenHash' }
  nodes: { row: Node; by: 'id' | 'tokenHash' }
}
type TableName = keyof Tables

/** Looks up rows of one scope, each together with all that anybody looks up in the same turn of the event loop. */
export interface RowReader {
  /** @returns the fields of the one row with this key; null when there is none or it is not in the scope */
  find<Name extends TableName, Field extends keyof Tables[Name]['row']>(
    table: Name,
    by: Tables[Name]['by'],
    key: string,
    fields: readonly Field[],
  ): Promise<Pick<Tables[Name]['row'], Field> | null>
}

interface Ask {
  readonly key: string
  readonly fields: readonly string[]
  readonly scope: RowScope
  readonly resolve: (row: PlainRow | null) => void
  readonly reject: (error: unknown) => void
}

/** Fields that say whose a row is; they are always read. */
const placing = { tenants: ['id'], clusters: ['id', 'tenantId'], nodes: ['tenantId', 'clusterId'] } as const
/** In one statement: some ten milliseconds' work, and ten of the largest pages. */
const batchSize = 5000

/**
 * Look-ups that span requests: one statement a turn, however many callers there are, and always a statement, so that
 * nobody is told what was true before. Whose a row is, is compared here for each caller (`isWithin`): one statement
 * serves callers of many tenants.
 */
export class RowLookups {
  readonly #reader: PlainReader
  readonly #engine: Engine
  readonly #groups = new Map<string, TurnBatches<Ask>>()

  constructor(reader: PlainReader, engine: Engine) {
    this.#reader = reader
    this.#engine = engine
  }

  /** The look-ups of one scope; `null` ids of it mean: all. */
  of(scope: RowScope): RowReader {
    return {
      find: <Name extends TableName, Field extends keyof Tables[Name]['row']>(
        table: Name,
        by: Tables[Name]['by'],
        key: string,
        fields: readonly Field[],
      ) =>
        new Promise<PlainRow | null>((resolve, reject) => {
          this.#group(table, by).add({ key, fields: fields as readonly string[], scope, resolve, reject })
          // The statement reads what was asked for, and the columns have the types of the model.
        }) as Promise<Pick<Tables[Name]['row'], Field> | null>,
    }
  }

  #group(table: TableName, by: string): TurnBatches<Ask> {
    const name = `${table}.${by}`
    const known = this.#groups.get(name)
    if (known) return known
    // SQLite answers at once; on PostgreSQL one batch is gathered while another is on its way.
    const group = new TurnBatches<Ask>((asks) => this.#answer(table, by, asks), { size: batchSize, atOnce: 2 })
    this.#groups.set(name, group)
    return group
  }

  async #answer(table: TableName, by: string, asks: readonly Ask[]): Promise<void> {
    try {
      const fields = new Set<string>([by, ...placing[table]])
      for (const ask of asks) for (const field of ask.fields) fields.add(field)
      const keys = new Set(asks.map(({ key }) => key))
      const text = this.#statement(table, by, [...fields].sort())
      const rows = new Map<unknown, PlainRow>()
      for (const row of await this.#reader.read(text, [[...keys]])) rows.set(row[by], typed(table, row))
      for (const { key, scope, resolve } of asks) {
        const row = rows.get(key)
        resolve(row !== undefined && isWithin(table, row, scope) ? row : null)
      }
    } catch (cause) {
      const error = new Error(`looking up ${table} by ${by} failed`, { cause })
      for (const { reject } of asks) reject(error)
    }
  }

  #statement(table: TableName, by: string, fields: readonly string[]): string {
    const read = fields.map((field) => `${expression(table, field)} AS "${field}"`).join(', ')
    return `SELECT ${read} FROM ${table} x WHERE ${expression(table, by)} IN (${listOf(this.#engine)})`
  }
}

/** The scope's condition, as scoped.ts and pages.ts write it into their statements. */
function isWithin(table: TableName, row: PlainRow, { tenantId, clusterId }: RowScope): boolean {
  if (tenantId !== null && row[table === 'tenants' ? 'id' : 'tenantId'] !== tenantId) return false
  return clusterId === null || table === 'tenants' || row[table === 'clusters' ? 'id' : 'clusterId'] === clusterId
}

/** Along idx_config_bundles_cluster_version. */
const latestBundleVersion =
  '(SELECT max(b.version) FROM config_bundles b WHERE b.tenant_id = x.tenant_id AND b.cluster_id = x.id)'

function expression(table: TableName, field: string): string {
  if (table === 'clusters' && field === 'latestBundleVersion') return latestBundleVersion
  const known: Readonly<Record<string, string>> = columns[table]
  const column = Object.hasOwn(known, field) ? known[field] : undefined
  if (column === undefined) throw new Error(`${table} has no field ${field} that can be looked up`)
  return `x.${column}`
}
