/**
 * Maps what an event stream yields. Not an async generator: that one would not let its reader leave before the next
 * event has come.
 */
export function mapResults<From, To>(source: AsyncIterable<From>, map: (one: From) => To): AsyncIterable<To> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]()
      const mapped = (result: IteratorResult<From, unknown>): IteratorResult<To, unknown> =>
        result.done ? result : { done: false, value: map(result.value) }
      return {
        next: async () => mapped(await iterator.next()),
        return: async (value?: unknown) =>
          iterator.return ? mapped(await iterator.return(value)) : { done: true, value },
      }
    },
  }
}
