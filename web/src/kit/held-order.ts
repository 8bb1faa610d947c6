import { useState } from 'react'

/** Rows that keep their order while the pointer is over them, so that none goes away under it; new ones come last. */
export function useHeldOrder<Row>(rows: readonly Row[], idOf: (row: Row) => string) {
  const [held, setHeld] = useState<readonly string[] | null>(null)
  const placeOf = (row: Row) => {
    const place = (held ?? []).indexOf(idOf(row))
    return place === -1 ? Infinity : place
  }
  // Two new rows are equal, and Infinity - Infinity is no number.
  const compare = (a: Row, b: Row) => (placeOf(a) === placeOf(b) ? 0 : placeOf(a) - placeOf(b))
  return {
    rows: held === null ? rows : rows.toSorted(compare),
    pointer: { onPointerEnter: () => setHeld(rows.map(idOf)), onPointerLeave: () => setHeld(null) },
  }
}
