export type Given<T> = { [Key in keyof T]: Exclude<T[Key], null> }

/** Removes the nulls of an input object: in Orrery, null and absent mean the same. */
export const given = <T extends object>(input: T): Given<T> =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)) as Given<T>
