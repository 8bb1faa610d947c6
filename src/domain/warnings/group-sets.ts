/** The sets of groups that nodes have, for asking which of them hold some groups at once. */
export class GroupSets {
  readonly #sets: readonly ReadonlySet<string>[]

  /** @param named all groups that will be asked about: what is left of the sets without the others is much less */
  constructor(sets: readonly (readonly string[])[], named: ReadonlySet<string>) {
    const narrowed = sets.map((groups) => groups.filter((group) => named.has(group)))
    this.#sets = [...new Map(narrowed.map((groups) => [JSON.stringify(groups), new Set(groups)])).values()]
  }

  /** Whether a node has all of these groups. */
  someHas(groups: readonly string[]): boolean {
    return this.#sets.some((set) => groups.every((group) => set.has(group)))
  }
}
