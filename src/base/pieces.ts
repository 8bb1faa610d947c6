import { setImmediate } from 'node:timers/promises'

/* Long work in pieces, between which the event loop serves others. A piece takes a few milliseconds at most. */

/** Milliseconds of work between two turns of the event loop. */
const budget = 5

/**
 * Returns a function to call between two pieces. It waits for the next turn of the event loop once the work has taken
 * its budget since the last such wait; otherwise it returns at once. Pages of rows are pieces, too: SQLite's driver
 * answers synchronously.
 */
export function breaks(): () => Promise<void> {
  let began = performance.now()
  return async () => {
    if (performance.now() - began < budget) return
    await setImmediate()
    began = performance.now()
  }
}

/** A list in pieces of at most this size. */
export const piecesOf = <Item>(list: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size))

/** The same with breaks between the pieces. */
export async function* inPieces<Item>(list: readonly Item[], size: number): AsyncGenerator<readonly Item[], void> {
  const pause = breaks()
  for (const piece of piecesOf(list, size)) {
    yield piece
    await pause()
  }
}
