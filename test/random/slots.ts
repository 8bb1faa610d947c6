/** Whose id is to stand somewhere. */
export const ownerships = ['own', 'foreign', 'missing'] as const
export type Ownership = (typeof ownerships)[number]

/** A place for an id in the variables of an operation, filled when the operation is sent. */
export interface Slot {
  readonly mark: string
  readonly owner: Ownership
  /** What the id is of, guessed from the place's name: `cluster`, `node`, `tenant`, or whatever. */
  readonly kind: string
}

/** An operation with empty places for ids. */
export interface Operation {
  readonly kind: 'query' | 'mutation'
  /** The root field. */
  readonly field: string
  readonly document: string
  readonly variables: Record<string, unknown>
  readonly slots: readonly Slot[]
}

/** The variables with an id in each place. */
export function filled(variables: unknown, ids: ReadonlyMap<string, string>): unknown {
  if (typeof variables === 'string') return ids.get(variables) ?? variables
  if (Array.isArray(variables)) return variables.map((item) => filled(item, ids))
  // A class's instance or a symbol is a value of its own, such as the mark of a file.
  if (typeof variables !== 'object' || variables === null) return variables
  return Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, filled(value, ids)]))
}
