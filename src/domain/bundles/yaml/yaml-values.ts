import { isAlias, isMap, isScalar, isSeq, type Alias, type ParsedNode, type YAMLMap, type YAMLSeq } from 'yaml'
import { maxYamlValues } from '../inspect/limits.ts'
import { holdsPrivateKey } from '../inspect/private-keys.ts'

/** A rule that a value breaks, and where. */
class BrokenRule extends Error {
  readonly offset: number

  constructor(node: ParsedNode, reason: string) {
    super(reason)
    this.offset = node.range[0]
  }
}

/**
 * The problem with the values of a parsed document, or null: keys that occur twice or are not plain words, merge keys
 * and tags (readers interpret them differently), aliases without an anchor, into themselves, or of more than
 * maxYamlValues values (the "billion laughs"), a private key spelled with escapes or folded over lines.
 */
export function findValueProblem(root: ParsedNode): { offset: number; reason: string } | null {
  try {
    new Walk().size(root)
    return null
  } catch (error) {
    if (error instanceof BrokenRule) return { offset: error.offset, reason: error.message }
    throw error
  }
}

class Walk {
  /** The node of each anchor at this point of the document; a later anchor of the same name replaces it. */
  readonly #anchors = new Map<string, ParsedNode>()
  /** The sizes of the finished nodes; an alias to an unfinished node leads into itself. */
  readonly #sizes = new Map<ParsedNode, number>()

  /** The number of values in a node with its aliases expanded. */
  size(node: ParsedNode): number {
    if (isAlias(node)) return this.#aliasSize(node)
    if (node.tag !== undefined) throw new BrokenRule(node, `has the tag ${node.tag}; tags are not allowed`)
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    const size = 1 + this.#contentSize(node)
    if (size > maxYamlValues) throw new BrokenRule(node, `has more than ${maxYamlValues} values, aliases replaced`)
    this.#sizes.set(node, size)
    return size
  }

  #contentSize(node: ParsedNode): number {
    if (isMap<ParsedNode, ParsedNode | null>(node)) return this.#mapSize(node)
    if (isSeq<ParsedNode>(node)) return this.#seqSize(node)
    if (isScalar(node) && typeof node.value === 'string' && holdsPrivateKey(node.value)) {
      throw new BrokenRule(node, 'holds a private key')
    }
    return 0
  }

  #seqSize(seq: YAMLSeq<ParsedNode>): number {
    return seq.items.reduce((sum, item) => sum + this.size(item), 0)
  }

  #mapSize(map: YAMLMap<ParsedNode, ParsedNode | null>): number {
    const keys = new Set<string>()
    let sum = 0
    for (const { key, value } of map.items) {
      if (!isScalar(key) || key.value === null) throw new BrokenRule(key, 'has a key that is not a plain word')
      const name = key.source
      if (name === '<<') throw new BrokenRule(key, 'has a merge key (<<): write the settings out')
      if (keys.has(name)) throw new BrokenRule(key, `has the key ${name} twice`)
      keys.add(name)
      sum += this.size(key) + (value === null ? 0 : this.size(value))
    }
    return sum
  }

  #aliasSize(alias: Alias.Parsed): number {
    const target = this.#anchors.get(alias.source)
    if (target === undefined) throw new BrokenRule(alias, `has the alias *${alias.source} before its anchor`)
    const size = this.#sizes.get(target)
    if (size === undefined) throw new BrokenRule(alias, `has the alias *${alias.source} inside of what it stands for`)
    return size
  }
}
