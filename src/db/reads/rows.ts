import { CallerError } from '../../base/errors.ts'
import { Batches } from '../../base/batches.ts'
import { columns, models } from '../client/columns.ts'
import { isWithin, ownerFields } from '../client/scope-condition.ts'
import { listOf, type PlainReader, type PlainRow } from './plain-reader.ts'
import { readingsOf, typed, type Readings } from './row-values.ts'
import type { Cluster, Credential, Engine, Node, RowScope, Tenant } from '../client/types.ts'

/** Values that are not columns, but derived from the row's cluster. */
interface OfCluster {
  /** The newest version that it has a bundle of; null when it has none. */
  latestBundleVersion: number | null
}
interface OfNode extends OfCluster {
  /** The version that its cluster should run. */
  clusterConfigVersion: number
}

/** The tables for look-ups, with the columns of their keys. */
interface Tables {
  tenants: { row: Tenant; by: 'id' }
  clusters: { row: Cluster & OfCluster; by: 'id' | 'clusterTokenHash' }
  nodes: { row: Node & OfNode; by: 'id' | 'tokenHash' }
  credentials: { row: Credential; by: 'tokenHash' }
}
export type TableName = keyof Tables
export type Key<Name extends TableName> = Tables[Name]['by']
export type Field<Name extends TableName> = keyof Tables[Name]['row']
export type Found<Name extends TableName, Asked extends Field<Name>> = Pick<Tables[Name]['row'], Asked>

interface Ask {
  readonly key: string
  readonly fields: readonly string[]
  readonly scope: RowScope
}

/** Keys in one statement: about ten milliseconds of work, and ten of the largest pages. */
const batchSize = 5000

/**
 * Look-ups that span requests: one statement per tick, for any number of callers. Every look-up reads from the
 * database, so that no caller receives outdated values. The row's owner is compared here for each caller: one statement
 * serves callers of many tenants. Figures of docs/performance.md: the agent's poll, and `GET /bundle`.
 */
export class RowLookups {
  readonly #lookups: Readonly<Record<TableName, ReadonlyMap<string, Lookup>>>

  constructor(reader: PlainReader, engine: Engine) {
    const lookups = (table: TableName, ...by: readonly string[]) =>
      new Map(by.map((field) => [field, new Lookup(reader, engine, { table, by: field })]))
    this.#lookups = {
      tenants: lookups('tenants', 'id'),
      clusters: lookups('clusters', 'id', 'clusterTokenHash'),
      nodes: lookups('nodes', 'id', 'tokenHash'),
      credentials: lookups('credentials', 'tokenHash'),
    }
  }

  /** As `Reads.row`. */
  find<Name extends TableName, Asked extends Field<Name>>(
    scope: RowScope,
    { table, by, key }: { readonly table: Name; readonly by: Key<Name>; readonly key: string },
    fields: readonly Asked[],
  ): Promise<Found<Name, Asked> | null> {
    const lookup = this.#lookups[table].get(by)
    if (!lookup) throw new Error(`${table} are not looked up by ${by}`)
    // The statement reads the requested fields, and the columns have the types of the model.
    const found = lookup.batches.ask({ key, fields: fields as readonly string[], scope })
    return found as Promise<Found<Name, Asked> | null>
  }
}

interface Statement {
  readonly text: string
  readonly readings: Readings
}

/** Look-ups in one table by one column. */
class Lookup {
  readonly #reader: PlainReader
  readonly #engine: Engine
  readonly #table: TableName
  readonly #by: string
  // SQLite answers synchronously; on PostgreSQL, one batch is gathered while another is being sent.
  readonly batches = new Batches<Ask, PlainRow | null>((asks) => this.#answer(asks), { size: batchSize, atOnce: 2 })
  /** By the list of fields; each caller has its own list and keeps it. */
  readonly #statements = new WeakMap<readonly string[], Statement>()

  constructor(reader: PlainReader, engine: Engine, { table, by }: { table: TableName; by: string }) {
    this.#reader = reader
    this.#engine = engine
    this.#table = table
    this.#by = by
  }

  async #answer(asks: readonly Ask[]): Promise<(PlainRow | null)[]> {
    const [table, by] = [this.#table, this.#by]
    try {
      const { text, readings } = this.#statementFor(asks)
      const keys = new Set<string>()
      for (const { key } of asks) keys.add(key)
      const rows = new Map<unknown, PlainRow>()
      for (const row of await this.#reader.read(text, [[...keys]])) rows.set(row[by], typed(table, row, readings))
      return asks.map(({ key, scope }) => {
        const row = rows.get(key)
        return row !== undefined && isWithin(models[table], row, scope) ? row : null
      })
    } catch (cause) {
      // A fault of the database already has its error (retries.ts).
      throw cause instanceof CallerError ? cause : new Error(`looking up ${table} by ${by} failed`, { cause })
    }
  }

  #statementFor(asks: readonly Ask[]): Statement {
    const lists = new Set<readonly string[]>()
    for (const { fields } of asks) lists.add(fields)
    const [first = []] = lists
    if (lists.size > 1) return this.#statement([...lists].flat())
    const known = this.#statements.get(first)
    if (known) return known
    const made = this.#statement(first)
    this.#statements.set(first, made)
    return made
  }

  #statement(asked: readonly string[]): Statement {
    const [table, by] = [this.#table, this.#by]
    const fields = new Set<string>([by, ...ownerFields(models[table]), ...asked])
    const read = [...fields].sort().map((field) => `${expression(table, field)} AS "${field}"`)
    const keys = listOf(this.#engine)
    return {
      text: `SELECT ${read.join(', ')} FROM ${table} x WHERE ${expression(table, by)} IN (${keys})`,
      readings: readingsOf(table, fields),
    }
  }
}

/** Along idx_config_bundles_cluster_version. */
const latestBundleVersionOf = (clusterId: string) =>
  `(SELECT max(b.version) FROM config_bundles b WHERE b.tenant_id = x.tenant_id AND b.cluster_id = ${clusterId})`

const ownColumns = (table: TableName): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(columns[table]).map(([field, column]) => [field, `x.${column}`]))

/** The SQL expression of each field. */
const expressions: Readonly<Record<TableName, Readonly<Record<string, string>>>> = {
  tenants: ownColumns('tenants'),
  clusters: { ...ownColumns('clusters'), latestBundleVersion: latestBundleVersionOf('x.id') },
  nodes: {
    ...ownColumns('nodes'),
    latestBundleVersion: latestBundleVersionOf('x.cluster_id'),
    clusterConfigVersion: '(SELECT c.config_version FROM clusters c WHERE c.id = x.cluster_id)',
  },
  credentials: ownColumns('credentials'),
}

function expression(table: TableName, field: string): string {
  const known = expressions[table]
  const found = Object.hasOwn(known, field) ? known[field] : undefined
  if (found === undefined) throw new Error(`${table} has no field ${field} that can be looked up`)
  return found
}
