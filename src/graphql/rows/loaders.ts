import DataLoader from 'dataloader'

/**
 * The loaders of one request, made when first asked for and found again by the place that asks: all rows of a list
 * resolve their field in one turn, and their look-ups become one statement.
 */
export class Loaders {
  // Most requests need none.
  #loaders: Map<unknown, Map<string, DataLoader<string, unknown>>> | null = null
  #once: Map<object, Map<string, Promise<unknown>>> | null = null

  /**
   * The same promise for all that ask for one id at one place. Only for queries: what a mutation changes must be seen
   * behind it, in the same request.
   */
  once<Value>(place: object, id: string, load: () => Promise<Value>): Promise<Value> {
    const places = (this.#once ??= new Map<object, Map<string, Promise<unknown>>>())
    const known = places.get(place) ?? new Map<string, Promise<unknown>>()
    places.set(place, known)
    const found = known.get(id) ?? load()
    known.set(id, found)
    return found as Promise<Value>
  }

  /**
   * Loads the value of one id together with all ids asked for in the same turn.
   * @param place what the look-ups have in common: a field of the query document, or a constant of the program
   * @param purpose tells apart what is loaded for one place
   * @param batch answers for many ids at once; an id that it leaves out has the value `missing`
   */
  load<Value>(
    { place, purpose }: { readonly place: unknown; readonly purpose: string },
    id: string,
    batch: (ids: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
    missing: Value,
  ): Promise<Value> {
    const loaders = (this.#loaders ??= new Map<unknown, Map<string, DataLoader<string, unknown>>>())
    const ofPlace = loaders.get(place) ?? new Map<string, DataLoader<string, unknown>>()
    loaders.set(place, ofPlace)
    let loader = ofPlace.get(purpose) as DataLoader<string, Value> | undefined
    if (!loader) {
      loader = new DataLoader<string, Value>(
        async (ids) => {
          const values = await batch([...new Set(ids)])
          return ids.map((one) => values.get(one) ?? missing)
        },
        // Gathered, not remembered: the second mutation of a request must not show what was there before it.
        { cache: false },
      )
      ofPlace.set(purpose, loader)
    }
    return loader.load(id)
  }
}
