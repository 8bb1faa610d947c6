import { OperationTypeNode, type GraphQLResolveInfo } from 'graphql'

import { afterPromises, Batches } from '../../base/batches.ts'
import { requestedColumns, type ColumnsRequest } from './requested-columns.ts'

/** What look-ups have in common. */
interface Place {
  /** A field of the query document, or a constant. */
  readonly place: unknown
  /** Distinguishes the look-ups of one place. */
  readonly purpose: string
  /**
   * Whether an id is loaded once in the whole request. Only for queries: after a mutation, the rest of its request must
   * see what it has changed.
   */
  readonly isKept?: boolean
}

/**
 * The loaders of one request, created on first use and keyed by the place that asks. All rows of a list resolve their
 * field at the same time, so that their look-ups become one statement.
 */
export class Loaders {
  // Created on demand: most requests need no loaders.
  #loaders: Map<unknown, Map<string, Loader<unknown>>> | null = null

  /**
   * Loads the value of one id together with all ids that are asked for in the same tick.
   * @param batch looks up many ids at once
   * @param missing the value of an id that `batch` leaves out; an Error fails the look-up of that id alone
   */
  load<Value>(
    { place, purpose, isKept = false }: Place,
    id: string,
    batch: (ids: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
    missing: (id: string) => Value | Error,
  ): Promise<Value> {
    const loaders = (this.#loaders ??= new Map<unknown, Map<string, Loader<unknown>>>())
    const ofPlace = loaders.get(place) ?? new Map<string, Loader<unknown>>()
    loaders.set(place, ofPlace)
    const loader = ofPlace.get(purpose) ?? new Loader<unknown>(batch, missing, isKept)
    ofPlace.set(purpose, loader)
    // One place and purpose always load the same kind of value.
    return loader.load(id) as Promise<Value>
  }

  /**
   * Loads a row that other rows refer to, with the columns that the query asks for; in a query each row once, however
   * many rows refer to it.
   * @param request of which type the row is. The same object each time: it is the key of the loader
   * @param find looks up some columns of a row, in one statement with other look-ups of the same tick
   * @typeParam Row has all columns; the Prisma plugin reads a field whose column was not looked up
   */
  row<Row extends object>(
    id: string,
    info: GraphQLResolveInfo,
    request: ColumnsRequest,
    find: (id: string, columns: readonly (keyof Row)[]) => Promise<object | null>,
  ): Promise<Row> {
    const columns = requestedColumns(info, request)
    const isKept = info.operation.operation === OperationTypeNode.QUERY
    const batch = async (ids: readonly string[]) => {
      const rows = await Promise.all(ids.map((one) => find(one, columns as readonly (keyof Row)[])))
      return new Map(ids.flatMap((one, at) => (rows[at] ? [[one, rows[at] as Row]] : [])))
    }
    const missing = () => new Error(`a row refers to a ${request.type} that is not there`)
    return this.load({ place: columns, purpose: 'row', isKept }, id, batch, missing)
  }
}

/** Loads the values of one place. An id that is asked for twice in one tick is loaded once. */
class Loader<Value> {
  readonly #batches: Batches<string, Value>
  readonly #asked = new Map<string, Promise<Value>>()

  constructor(
    batch: (ids: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
    missing: (id: string) => Value | Error,
    isKept: boolean,
  ) {
    this.#batches = new Batches(
      async (ids) => {
        if (!isKept) this.#asked.clear()
        const values = await batch(ids)
        return ids.map((id) => values.get(id) ?? missing(id))
      },
      { wait: afterPromises },
    )
  }

  load(id: string): Promise<Value> {
    const known = this.#asked.get(id)
    if (known) return known
    const asked = this.#batches.ask(id)
    this.#asked.set(id, asked)
    return asked
  }
}
