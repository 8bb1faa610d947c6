import { setImmediate } from 'node:timers/promises'

import type { ClusterFacts } from './facts.ts'

/** Groups that something is for; nodes must have all of them. */
interface Asked {
  readonly wanted: readonly string[]
}

/** What is asked about between two turns of the event loop: each may have 64 groups, and a piece 500 nodes. */
const chunk = 32

/** Of these, the ones whose groups no node has at once. Nodes are read until each of the others is found. */
export async function heldByNobody<One extends Asked>(
  facts: ClusterFacts,
  asked: readonly One[],
): Promise<readonly One[]> {
  if (asked.length === 0) return []
  const named = new Set(asked.flatMap(({ wanted }) => wanted))
  let left = asked
  for await (const piece of facts.groups()) {
    const sets = narrowed(piece, named)
    const still: One[] = []
    for (const [index, one] of left.entries()) {
      if (index % chunk === chunk - 1) await setImmediate()
      if (!sets.some((set) => one.wanted.every((group) => set.has(group)))) still.push(one)
    }
    left = still
    if (left.length === 0) break
  }
  return left
}

/** Different sets of those groups that are asked about: of many nodes, few are left. */
function narrowed(piece: readonly (readonly string[])[], named: ReadonlySet<string>): ReadonlySet<string>[] {
  const sets = piece.map((groups) => groups.filter((group) => named.has(group)))
  return [...new Map(sets.map((groups) => [JSON.stringify(groups), new Set(groups)])).values()]
}
