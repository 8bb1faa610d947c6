import { getOperationAST, type DocumentNode } from 'graphql'

import { WeightedCache } from '../../base/limits/weighted-cache.ts'
import { isSignedIn, unauthenticated } from '../../graphql/kit/access.ts'
import type { Result, ServerContext } from './graphql-plugin.ts'
import type { Params } from './params.ts'
import { orRefusal } from '../pipeline/refusals.ts'
import type { Strangers } from '../pipeline/strangers.ts'
import type { Introspection } from './use-introspection.ts'

/** The longest document of a caller that is not signed in, in characters: GraphiQL's introspection query has 1700. */
export const longestOfStrangers = 4000

/** Bytes of cached answers to strangers: that with the whole schema and its descriptions has 0.5 MB. */
const budget = 8 * 1024 * 1024

/**
 * Answers callers that are not signed in ("strangers") before their document is parsed: they may ask for nothing in it,
 * and parsing and validating a long document costs nearly as much as answering it. Under the introspection policy
 * `everyone`, short documents pass: the few that tools send are answered from a cache, and all others are counted.
 */
export class StrangersDocuments {
  readonly #policy: Introspection
  readonly #strangers: Strangers
  readonly #answers = new WeightedCache<string>(budget)

  constructor(policy: Introspection, strangers: Strangers) {
    this.#policy = policy
    this.#strangers = strangers
  }

  /** The answer that a stranger gets at once; null if the document is to be executed. */
  answer({ query, operationName }: Params, { session, call }: ServerContext): Result | null {
    if (isSignedIn(session)) return null
    if (this.#policy !== 'everyone' || query.length > longestOfStrangers) return { errors: [unauthenticated()] }
    const known = this.#answers.get(keyOf(query, operationName))
    if (known !== undefined) return { data: {}, stringify: () => known }
    const refusal = orRefusal(() => this.#strangers.countDocument(call.caller))
    return refusal ? { errors: [refusal] } : null
  }

  /** Caches an answer to a stranger if it depends on the document's text alone. */
  remember({ query, operationName }: Params, document: DocumentNode, result: Result): void {
    const hasVariables = getOperationAST(document, operationName)?.variableDefinitions?.length !== 0
    if (result.errors || hasVariables) return
    const key = keyOf(query, operationName)
    const answer = JSON.stringify(result)
    // A character takes at most two bytes.
    this.#answers.set(key, answer, 2 * (key.length + answer.length))
  }
}

/** A text may have several operations. Operation names have no line break, so that keys are unambiguous. */
const keyOf = (text: string, operationName: string | null | undefined): string => `${operationName ?? ''}\n${text}`
