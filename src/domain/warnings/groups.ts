import { breaks } from '../../base/pieces.ts'
import type { ClusterFacts } from './facts.ts'

/** A set of groups; only nodes with all of them match. */
interface Asked {
  readonly wanted: readonly string[]
}

/** Returns the sets that no node has completely. Nodes are read until every other set is found. */
export async function heldByNobody<One extends Asked>(
  facts: ClusterFacts,
  asked: readonly One[],
): Promise<readonly One[]> {
  if (asked.length === 0) return []
  const named = new Set(asked.flatMap(({ wanted }) => wanted))
  let left = asked
  const pause = breaks()
  for await (const piece of facts.groups()) {
    const sets = narrowed(piece, named)
    const still: One[] = []
    for (const one of left) {
      await pause()
      if (!sets.some((set) => one.wanted.every((group) => set.has(group)))) still.push(one)
    }
    left = still
    if (left.length === 0) break
  }
  return left
}

/** The distinct combinations of the named groups: many nodes share few of them. */
function narrowed(piece: readonly (readonly string[])[], named: ReadonlySet<string>): ReadonlySet<string>[] {
  const sets = piece.map((groups) => groups.filter((group) => named.has(group)))
  return [...new Map(sets.map((groups) => [JSON.stringify(groups), new Set(groups)])).values()]
}
