import type { DocumentNode, GraphQLError, ValidationRule } from 'graphql'

import { WeightedCache } from '../../base/limits/weighted-cache.ts'
import type { CompiledOperation } from './compiled-operations.ts'

/** Longer documents are not cached: clients send the same few short ones all the time. */
const longestKept = 10_000

/** Memory of a parsed document for each character of its text (measured: 65 bytes, two thirds of them locations). */
const bytesOfCharacter = 70
/** Memory of an entry besides its text, its parsed document and its compiled forms. */
const bytesOfEntry = 500
const budget = 48 * 1024 * 1024

/** The cached facts about one text. */
export interface KnownDocument {
  readonly text: string
  readonly document: DocumentNode
  /** The errors of validation and the rules that were applied; null before validation. */
  verdict: { readonly rules: readonly ValidationRule[]; readonly errors: readonly GraphQLError[] } | null
  /** The operations that were executed, by name. */
  readonly operations: Map<string, CompiledOperation>
  /** Bytes of the operations' compiled forms. */
  compiledBytes: number
}

/**
 * Caches documents by their texts: parsed, validated, and compiled where that is worth it. Bounded in bytes, since any
 * signed-in caller can fill it.
 */
export class KnownDocuments {
  readonly #byText = new WeightedCache<KnownDocument>(budget)
  readonly #byDocument = new WeakMap<DocumentNode, KnownDocument>()

  /** The document of a text, which is parsed the first time. Texts that do not parse are not cached. */
  parsed(text: string, parse: (text: string) => DocumentNode): DocumentNode {
    const known = this.#byText.get(text)
    if (known) return known.document
    const document = parse(text)
    if (text.length <= longestKept) {
      const entry = {
        text,
        document,
        verdict: null,
        operations: new Map<string, CompiledOperation>(),
        compiledBytes: 0,
      }
      this.#byDocument.set(document, entry)
      this.weigh(entry)
    }
    return document
  }

  /** The entry of a document; undefined when it is too long or was not parsed here. */
  of(document: DocumentNode): KnownDocument | undefined {
    return this.#byDocument.get(document)
  }

  /** Updates the weight of an entry; call it when an operation was compiled. */
  weigh(known: KnownDocument): void {
    const { text, compiledBytes } = known
    this.#byText.set(text, known, bytesOfEntry + (2 + bytesOfCharacter) * text.length + compiledBytes)
  }
}
