import { _createLRUCache as createLRUCache } from 'graphql-yoga'
import type { DocumentNode } from 'graphql'

/**
 * Documents that are kept parsed and validated. A document of 2000 tokens takes a megabyte once it is parsed and
 * anybody may send one, so that few are kept, and long ones never; clients use the same few short ones all the time.
 */
const keptDocuments = 100
const longestKept = 10_000

/** Yoga's cache, within these bounds, of what is known of a document by its text. */
export function documentCache<Value extends object = DocumentNode>() {
  const kept = createLRUCache<Value>({ max: keptDocuments })
  return {
    get: (text: string) => kept.get(text),
    set: (text: string, value: Value) => {
      if (text.length <= longestKept) kept.set(text, value)
    },
  }
}

/** Errors are not kept: what does not parse is found to do so at once. */
export const noErrorCache = { get: () => undefined, set: () => undefined }
