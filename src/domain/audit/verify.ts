import type { Operator } from '../../auth/scope.ts'
import { hashOf } from '../../db/audit/event.ts'
import type { AuditEvent } from '../../db/client/types.ts'
import { readAnchor, type Anchor, type AnchorKeys } from './anchor.ts'
import { chainNames, chainRows } from './chains.ts'

/** What the verification of one chain has found. */
export interface Verified {
  readonly chain: string
  /** How many rows it has. */
  readonly rows: number
  /** Its newest row: keep it elsewhere, and later rows that are removed are seen, too. */
  readonly head: { readonly sequence: number; readonly hash: string } | null
  /** The first thing that is wrong with it; null when it is whole. */
  readonly problem: string | null
}

/**
 * Verifies one chain, or all of them, a page at a time. A row that was changed, removed or put in is named; what
 * follows in its chain is then not looked at.
 * @param chain a tenant's id, or `control-plane`; null for all
 */
export async function* verifyAudit(
  operator: Operator,
  keys: AnchorKeys,
  chain: string | null = null,
): AsyncGenerator<Verified, void> {
  if (chain !== null) {
    yield await verifyChain(operator, keys, chain)
    return
  }
  for await (const name of chainNames(operator)) yield await verifyChain(operator, keys, name)
}

/** Once more when old rows were cut while it was read: they are not missing. */
async function verifyChain(operator: Operator, keys: AnchorKeys, chain: string): Promise<Verified> {
  const first = await verifyOnce(operator, keys, chain)
  return first.problem === null ? first : verifyOnce(operator, keys, chain)
}

async function verifyOnce(operator: Operator, keys: AnchorKeys, chain: string): Promise<Verified> {
  // Read first: rows that are appended meanwhile only follow what it says.
  const found = await readAnchor(operator, chain, keys)
  const walk = new Walk(found.anchor)
  if (found.under === 'none') {
    const problem = 'its anchor was changed or forged, or was signed under a secret that is not known here'
    return { chain, ...walk.result, problem }
  }
  for await (const page of chainRows(operator, chain)) {
    for (const row of page) {
      const problem = walk.step(row)
      if (problem !== null) return { chain, ...walk.result, problem }
    }
  }
  return { chain, ...walk.result, problem: walk.end() }
}

/** Goes along a chain from its anchor. */
class Walk {
  readonly #anchor: Anchor | null
  #rows = 0
  #last: AuditEvent | null = null

  constructor(anchor: Anchor | null) {
    this.#anchor = anchor
  }

  get result() {
    const last = this.#last
    return { rows: this.#rows, head: last && { sequence: last.sequence, hash: last.hash } }
  }

  /** Takes the next row; returns what is wrong with it, or with what should be before it. */
  step(row: AuditEvent): string | null {
    const anchor = this.#anchor
    const expected = this.#last ? this.#last.sequence + 1 : (anchor?.firstSequence ?? 1)
    const previousHash = this.#last ? this.#last.hash : (anchor?.previousHash ?? null)
    if (row.sequence < expected) return `row ${nameOf(row)} was put in before the signed beginning`
    if (row.sequence > expected) return `row ${rangeOf(expected, row.sequence - 1)} was removed before ${nameOf(row)}`
    if (hashOf(row) !== row.hash) return `row ${nameOf(row)} was changed`
    if (row.previousHash !== previousHash) {
      return `row ${nameOf(row)} does not follow the one before it: one of the two was put in or replaced`
    }
    if (row.sequence === anchor?.headSequence && row.hash !== anchor.headHash) {
      return `row ${nameOf(row)} is not the one that was signed at ${anchor.signedAt.toISOString()}: it, or a row before it, was changed and the hashes made anew`
    }
    this.#rows += 1
    this.#last = row
    return null
  }

  /** What is wrong with the end of the chain. */
  end(): string | null {
    const [anchor, last] = [this.#anchor, this.#last]
    const end = last?.sequence ?? (anchor ? anchor.firstSequence - 1 : 0)
    if (anchor && end < anchor.headSequence)
      return `row ${rangeOf(end + 1, anchor.headSequence)} was removed at the end`
    if (last && last.headOf !== last.chain) return `rows after ${nameOf(last)} were removed`
    return null
  }
}

const nameOf = ({ sequence, id }: AuditEvent) => `${sequence} (${id})`
const rangeOf = (from: number, to: number) => (from === to ? String(from) : `${from} to ${to}`)
