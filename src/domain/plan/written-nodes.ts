import type { Tx } from '../../db/client/types.ts'

const readers = ['findUnique', 'findUniqueOrThrow', 'findFirst', 'findFirstOrThrow', 'findMany', 'count', 'groupBy']

/** What runs a statement that names no model. */
const sql = ['$executeRaw', '$executeRawUnsafe', '$queryRaw', '$queryRawUnsafe']

/** A transaction that records which nodes it writes. */
export interface WatchedTx {
  readonly tx: Tx
  /** Ids of the nodes that were written so far; null if a statement wrote nodes without naming them. */
  readonly written: () => ReadonlySet<string> | null
}

/** Watches a transaction. An operation that is not known to read, or to write one node, counts as writing any node. */
export function watchNodes(tx: Tx): WatchedTx {
  let written: Set<string> | null = new Set()
  const node = new Proxy(tx.node, {
    get(target, key): unknown {
      const method: unknown = Reflect.get(target, key)
      if (typeof method !== 'function') return method
      const call = (...args: unknown[]): unknown => Reflect.apply(method, target, args)
      if (readers.includes(String(key))) return call
      if (key !== 'create' && key !== 'update' && key !== 'delete') {
        return (...args: unknown[]) => {
          written = null
          return call(...args)
        }
      }
      return async (...args: unknown[]) => {
        const row: unknown = await call(...args)
        const id = typeof row === 'object' && row !== null && 'id' in row ? row.id : null
        if (typeof id === 'string') written?.add(id)
        else written = null
        return row
      }
    },
  })
  const watched = new Proxy(tx, {
    get(target, key): unknown {
      if (key === 'node') return node
      if (sql.includes(String(key))) written = null
      return Reflect.get(target, key)
    },
  })
  return { tx: watched, written: () => written }
}
