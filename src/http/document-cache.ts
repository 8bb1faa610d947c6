import type { DocumentNode } from 'graphql'

import { WeightedCache } from '../base/weighted-cache.ts'

/** Longer documents are not kept: clients use the same few short ones all the time. */
export const longestKept = 10_000

/** What a document takes once it is parsed, for each character of its text (measured: 65 bytes, two thirds of them locations). */
const bytesOfCharacter = 70
const budget = 16 * 1024 * 1024

/** Yoga's cache of documents that were parsed and validated, with a bound in bytes, since any signed-in caller fills it. */
export function documentCache() {
  const kept = new WeightedCache<DocumentNode>(budget)
  return {
    get: (text: string) => kept.get(text),
    set: (text: string, document: DocumentNode) => {
      if (text.length <= longestKept) kept.set(text, document, text.length * bytesOfCharacter)
    },
  }
}

/** Errors are not kept: what does not parse is found to do so at once. */
export const noErrorCache = { get: () => undefined, set: () => undefined }
