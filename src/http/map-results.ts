/**
 * Maps what an event stream yields. Not an async generator: that one would not let its reader leave before the next
 * event has come. A stream that fails ends with what `failed` makes of the error.
 */
export function mapResults<From, To>(
  source: AsyncIterable<From>,
  map: (one: From) => To,
  failed: (error: unknown) => To,
): AsyncIterable<To> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]()
      let over = false
      const mapped = (result: IteratorResult<From, unknown>): IteratorResult<To, unknown> =>
        result.done ? result : { done: false, value: map(result.value) }
      return {
        next: async () => {
          if (over) return { done: true, value: undefined }
          try {
            return mapped(await iterator.next())
          } catch (error) {
            over = true
            return { done: false, value: failed(error) }
          }
        },
        return: async (value?: unknown) =>
          iterator.return ? mapped(await iterator.return(value)) : { done: true, value },
      }
    },
  }
}
