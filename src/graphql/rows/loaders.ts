import DataLoader from 'dataloader'

/**
 * The loaders of one request, created on first use and keyed by the place that asks. All rows of a list resolve their
 * field in one turn of the event loop, so that their look-ups become one statement.
 */
export class Loaders {
  // Created on demand: most requests need no loaders.
  #loaders: Map<unknown, Map<string, DataLoader<string, unknown>>> | null = null
  #once: Map<object, Map<string, Promise<unknown>>> | null = null

  /**
   * The same promise for all callers that ask for one id at one place. Only for queries: after a mutation, the rest of
   * its request must see what it has changed.
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
   * Loads the value of one id together with all ids that are asked for in the same turn.
   * @param place what the look-ups have in common: a field of the query document, or a constant
   * @param purpose distinguishes the look-ups of one place
   * @param batch looks up many ids at once; an id that it leaves out has the value `missing`
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
        // Batched, but not cached: the second mutation of a request must not show the state before it.
        { cache: false },
      )
      ofPlace.set(purpose, loader)
    }
    return loader.load(id)
  }
}
