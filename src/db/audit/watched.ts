import type { Tx } from '../client/types.ts'
import { jsonOfObjects, shown, type Values } from './shown-values.ts'

/** The models whose changes are watched, with the name of an object in the record. */
const models = {
  tenant: 'Tenant',
  cluster: 'Cluster',
  node: 'Node',
  configBundle: 'ConfigBundle',
  clusterState: 'ClusterState',
  credential: 'Credential',
} as const satisfies Partial<Record<keyof Tx, string>>

type Model = keyof typeof models

/** An object that a change is about. */
export interface Target {
  readonly type: string
  readonly id: string
  readonly name?: string
}

/** How many objects of one change are recorded by name. */
const mostObjects = 100

/**
 * What a transaction has written, seen from the statements that pass by: no statement is added. The old values are
 * those of rows that the transaction read before it wrote them.
 */
export class Watch {
  readonly #seen = new Map<string, Values>()
  readonly #targets = new Map<string, Target>()
  readonly #before = new Map<string, Values>()
  readonly #after = new Map<string, Values>()
  #hasWritten = false
  tenantId: string | null = null
  clusterId: string | null = null
  /** The cluster's version after the change. */
  version: number | null = null

  /** Whether something was written; a statement that only locks a row writes nothing. */
  get hasWritten(): boolean {
    return this.#hasWritten
  }

  get targets(): readonly Target[] {
    return [...this.#targets.values()]
  }

  get before(): string | null {
    return jsonOfObjects(this.#before)
  }

  /** @param terms shown before the objects; null for none */
  afterWith(terms: Values | null): string | null {
    return jsonOfObjects(new Map([...(terms ? [['Terms', terms] as const] : []), ...this.#after]))
  }

  /** The rows that a condition names by their keys, as they were read before; where none was, what is known of them. */
  named(model: Model, { where }: Values): readonly Values[] {
    return namedBy(where).map((row) => this.#seen.get(keyOf(model, row) ?? '') ?? row)
  }

  saw(model: Model, rows: readonly Values[]): void {
    for (const row of rows) {
      const key = keyOf(model, row)
      if (key !== null && !this.#seen.has(key)) this.#seen.set(key, row)
      this.#placed(model, row)
    }
  }

  wrote(model: Model, rows: readonly Values[], data: Values | null): void {
    this.#hasWritten = true
    for (const row of rows) {
      const key = keyOf(model, row)
      this.#placed(model, row)
      if (key === null || (!this.#targets.has(key) && this.#targets.size >= mostObjects)) continue
      const known = this.#seen.get(key)
      const name = row['name'] ?? known?.['name']
      const target = { type: models[model], id: key.slice(key.indexOf(' ') + 1) }
      this.#targets.set(key, typeof name === 'string' ? { ...target, name } : target)
      if (data === null) {
        this.#before.set(key, shown(row))
        continue
      }
      const after = shown(
        Object.fromEntries(Object.entries(data).map(([field, value]) => [field, row[field] ?? value])),
      )
      this.#after.set(key, { ...this.#after.get(key), ...after })
      if (!known) continue
      const old = shown(Object.fromEntries(Object.keys(data).map((field) => [field, known[field]])))
      this.#before.set(key, { ...old, ...this.#before.get(key) })
    }
  }

  #placed(model: Model, row: Values): void {
    const { tenantId, clusterId, configVersion, id } = row
    const tenant = model === 'tenant' ? id : tenantId
    const cluster = model === 'cluster' ? id : clusterId
    if (typeof tenant === 'string') this.tenantId = tenant
    if (typeof cluster === 'string') this.clusterId = cluster
    if (model === 'cluster' && typeof configVersion === 'number') this.version = configVersion
  }
}

function keyOf(model: Model, { id, clusterId, version, instanceId }: Values): string | null {
  if (typeof id === 'string') return `${models[model]} ${id}`
  const place = version ?? instanceId
  if (typeof clusterId !== 'string' || (typeof place !== 'string' && typeof place !== 'number')) return null
  return `${models[model]} ${clusterId}/${place}`
}

/** The same transaction, with what passes through it noted in `watch`. */
export const watched = (tx: Tx, watch: Watch): Tx =>
  new Proxy(tx, {
    get: (target, key): unknown => {
      const part: unknown = Reflect.get(target, key)
      if (key === '$queryRawUnsafe' && typeof part === 'function') return watchedNodeWrite(target, part, watch)
      return isModel(key) && typeof part === 'object' && part !== null ? watchedModel(key, part, watch) : part
    },
  })

export const isModel = (key: string | symbol): key is Model => typeof key === 'string' && Object.hasOwn(models, key)

const writes = /^(create|update|delete|upsert)/
export const isWrite = (method: string): boolean => writes.test(method)

const watchedModel = (model: Model, target: object, watch: Watch): unknown =>
  new Proxy(target, {
    get: (_target, method): unknown => {
      const part: unknown = Reflect.get(target, method)
      if (typeof part !== 'function' || typeof method !== 'string') return part
      return async (args: Values = {}): Promise<unknown> => {
        const result: unknown = await Reflect.apply(part, target, [args])
        note(watch, { model, method, args, result })
        return result
      }
    },
  })

/**
 * A write of many nodes (db/writes/node-rows.ts), which returns their ids: no other SQL passes here. Which nodes were
 * written is noted, with the names that were seen; their values are not, since they are not in the result.
 */
const watchedNodeWrite =
  (target: Tx, write: object, watch: Watch) =>
  async (...args: unknown[]): Promise<unknown> => {
    const rows: unknown = await Reflect.apply(write as (...args: unknown[]) => unknown, target, args)
    watch.wrote('node', Array.isArray(rows) ? rows.filter(isRow) : [], {})
    return rows
  }

interface Statement {
  readonly model: Model
  readonly method: string
  readonly args: Values
  readonly result: unknown
}

function note(watch: Watch, { model, method, args, result }: Statement): void {
  const rows = (Array.isArray(result) ? result : [result]).filter(isRow)
  if (!isWrite(method)) {
    if (method.startsWith('find')) watch.saw(model, rows)
    return
  }
  // A statement that found no row wrote nothing, and its caller may yet refuse.
  if (rows.length === 0 || rows[0]?.['count'] === 0) return
  const data: unknown = args['data']
  // A count alone: the condition names the rows, if anything does.
  const isCount = 'count' in (rows[0] ?? {})
  if (isLock(data)) watch.saw(model, rows)
  else if (method.startsWith('create'))
    for (const row of given(data)) watch.wrote(model, [{ ...row, ...rowOf(rows, row) }], row)
  else if (method.startsWith('delete')) watch.wrote(model, isCount ? watch.named(model, args) : rows, null)
  else if (isBump(data)) {
    // The row as the change found it, but for the raised version.
    watch.saw(model, rows)
    watch.wrote(model, rows, {})
  } else {
    watch.wrote(model, isCount ? namedBy(args['where']) : rows, isRow(data) ? data : {})
  }
}

/** What a condition says of each row that it names; the condition itself where it names none. */
function namedBy(where: unknown): readonly Values[] {
  if (!isRow(where)) return []
  const { id, ...others } = where
  const ids: unknown = isRow(id) ? id['in'] : null
  return Array.isArray(ids) ? ids.map((one: unknown) => ({ ...others, id: one })) : [where]
}

const given = (data: unknown): readonly Values[] => (Array.isArray(data) ? data : [data]).filter(isRow)
const rowOf = (rows: readonly Values[], { id }: Values) => rows.find((row) => row['id'] === id) ?? {}
const isRow = (value: unknown): value is Values => typeof value === 'object' && value !== null

/** Adding to the version and nothing else: by zero, to lock the row, or by one, to begin a change. */
const added = (data: unknown): unknown =>
  isRow(data) && Object.keys(data).join() === 'configVersion' && isRow(data['configVersion'])
    ? data['configVersion']['increment']
    : null
const isLock = (data: unknown) => added(data) === 0
const isBump = (data: unknown) => added(data) === 1
