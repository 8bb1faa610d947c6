import { createHash } from 'node:crypto'

import { inPieces } from '../../base/pieces.ts'
import { canonicalJson } from './canonical-json.ts'

/**
 * The Merkle tree of RFC 6962, section 2.1, with SHA-256. Its root stands for a list of leaves; a proof of a few hashes
 * shows that one leaf is in the list, without revealing the other leaves. Outside this file, hashes are hex digits.
 */
export class MerkleTree {
  /** The hashes of the leaves, of each pair, and so on up to the root; a last one without a pair moves up unchanged. */
  readonly #levels: readonly (readonly Buffer[])[]

  private constructor(levels: readonly (readonly Buffer[])[]) {
    this.#levels = levels
  }

  /** Hashes every node of the tree once, so that proofs cost nothing. 10 000 leaves take about 50 ms. */
  static of(leaves: readonly Uint8Array[]): MerkleTree {
    const levels: Buffer[][] = [leaves.map(leafHash)]
    for (let below = levels[0] ?? []; below.length > 1; below = levels.at(-1) ?? []) levels.push(pairUp(below))
    return new MerkleTree(levels)
  }

  /** The same in pieces. */
  static async inPieces(leaves: readonly Uint8Array[]): Promise<MerkleTree> {
    const levels: Buffer[][] = [await pieceByPiece(leaves, (piece) => piece.map(leafHash))]
    for (let below = levels[0] ?? []; below.length > 1; below = levels.at(-1) ?? []) {
      levels.push(await pieceByPiece(below, pairUp))
    }
    return new MerkleTree(levels)
  }

  get count(): number {
    return this.#levels[0]?.length ?? 0
  }

  /** 64 hex digits; of no leaves, the SHA-256 of nothing. */
  get root(): string {
    return (this.#levels.at(-1)?.[0] ?? createHash('sha256').digest()).toString('hex')
  }

  /**
   * The sibling hashes on the way from a leaf to the root, from the bottom up (RFC 6962, section 2.1.1).
   * @throws RangeError when there is no such leaf
   */
  proof(index: number): string[] {
    if (!Number.isInteger(index) || index < 0 || index >= this.count) throw new RangeError(`there is no leaf ${index}`)
    return this.#levels.flatMap((level, height) => {
      const beside = level[Math.floor(index / 2 ** height) ^ 1]
      return beside === undefined || level.length === 1 ? [] : [beside.toString('hex')]
    })
  }
}

/** The root of a list of leaves; for several proofs, make the tree once. */
export const merkleRoot = (leaves: readonly Uint8Array[]): string => MerkleTree.of(leaves).root

/** The claim that a leaf is the one at `index` of `count` leaves whose tree has this root. */
export interface Inclusion {
  readonly leaf: Uint8Array
  readonly index: number
  readonly count: number
  /** From the bottom up, hex digits. */
  readonly path: readonly string[]
  readonly root: string
}

/** Whether the proof holds (RFC 9162, section 2.1.3.2). A claim that makes no sense does not. */
export function verifyInclusion({ leaf, index, count, path, root }: Inclusion): boolean {
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(index) || index < 0 || index >= count) return false
  if (count > mostLeaves || path.length > 32) return false
  let [at, last, hash] = [index, count - 1, leafHash(leaf)]
  for (const text of path) {
    if (last === 0 || !/^[0-9a-f]{64}$/.test(text)) return false
    const beside = Buffer.from(text, 'hex')
    if (at % 2 === 1 || at === last) {
      hash = parentHash(beside, hash)
      // A last hash without a pair moved up unchanged.
      for (; at % 2 === 0 && at !== 0; at >>>= 1) last >>>= 1
    } else {
      hash = parentHash(hash, beside)
    }
    at >>>= 1
    last >>>= 1
  }
  return last === 0 && hash.toString('hex') === root
}

/** Shifts work on 32 bits; a cluster has tens of thousands of nodes. */
const mostLeaves = 2 ** 31

/** A node's entry in the tree of a bundle: the hashes of its own configuration and certificate. */
export interface NodeLeaf {
  readonly node: string
  /** SHA-256 of the node's configuration file, hex digits. */
  readonly config: string
  /** SHA-256 of the node's certificate file, hex digits. */
  readonly certificate: string
}

/** The bytes of a node's leaf. */
export const nodeLeaf = ({ node, config, certificate }: NodeLeaf): Uint8Array =>
  Buffer.from(canonicalJson({ node, config, certificate }))

const pairUp = (below: readonly Buffer[]): Buffer[] => {
  const above: Buffer[] = []
  for (let at = 0; at < below.length; at += 2) {
    const [left, right] = [below[at], below[at + 1]]
    if (left !== undefined) above.push(right === undefined ? left : parentHash(left, right))
  }
  return above
}

/** Hashes of a piece; an even number, so that pairs stay together. */
const pieceSize = 500

async function pieceByPiece<Item>(
  list: readonly Item[],
  work: (piece: readonly Item[]) => Buffer[],
): Promise<Buffer[]> {
  const done: Buffer[] = []
  for await (const piece of inPieces(list, pieceSize)) done.push(...work(piece))
  return done
}

const leafHash = (data: Uint8Array): Buffer => createHash('sha256').update(Uint8Array.of(0)).update(data).digest()

const parentHash = (left: Uint8Array, right: Uint8Array): Buffer =>
  createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest()
