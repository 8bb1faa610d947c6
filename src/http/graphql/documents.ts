import type { DocumentNode, GraphQLError, ValidationRule } from 'graphql'

import { WeightedCache } from '../../base/limits/weighted-cache.ts'
import type { CompiledOperation } from './compiled-operations.ts'

/** Longer documents are not kept: clients use the same few short ones all the time. */
const longestKept = 10_000

/** What a document takes once it is parsed, for each character of its text (measured: 65 bytes, two thirds of them locations). */
const bytesOfCharacter = 70
/** What is known of a document beside its text and its compiled forms. */
const bytesOfEntry = 500
const budget = 48 * 1024 * 1024

/** What is known of one text. */
export interface KnownDocument {
  readonly text: string
  readonly document: DocumentNode
  /** What validation said, and by which rules; null before it was asked. */
  verdict: { readonly rules: readonly ValidationRule[]; readonly errors: readonly GraphQLError[] } | null
  /** Its operations that were executed, by their names. */
  readonly operations: Map<string, CompiledOperation>
  /** Bytes of the operations' compiled forms. */
  compiledBytes: number
}

/**
 * Remembers documents by their texts: parsed, validated, and compiled where that is worth it. Bounded in bytes, since any
 * signed-in caller fills it.
 */
export class KnownDocuments {
  readonly #byText = new WeightedCache<KnownDocument>(budget)
  readonly #byDocument = new WeakMap<DocumentNode, KnownDocument>()

  /** The document of a text, parsed at its first time. Texts that do not parse are not kept. */
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

  /** What is known of a document; undefined where it is too long, or none that was parsed here. */
  of(document: DocumentNode): KnownDocument | undefined {
    return this.#byDocument.get(document)
  }

  /** To be called when a document has got another compiled form. */
  weigh(known: KnownDocument): void {
    const { text, compiledBytes } = known
    this.#byText.set(text, known, bytesOfEntry + (2 + bytesOfCharacter) * text.length + compiledBytes)
  }
}
