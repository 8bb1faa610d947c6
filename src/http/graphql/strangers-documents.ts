import { getOperationAST, type DocumentNode } from 'graphql'

import { WeightedCache } from '../../base/limits/weighted-cache.ts'
import { isSignedIn, unauthenticated } from '../../graphql/kit/access.ts'
import type { Result, ServerContext } from './graphql-plugin.ts'
import type { Params } from './params.ts'
import { orRefusal } from '../pipeline/refusals.ts'
import type { Strangers } from '../pipeline/strangers.ts'
import type { Introspection } from './use-introspection.ts'

/** Characters of a document of somebody who is not signed in: GraphiQL's own question about the schema has 1700. */
export const longestOfStrangers = 4000

/** Bytes of answers to strangers that are kept: the whole schema's is 0.5 MB, with what it says of each field. */
const budget = 8 * 1024 * 1024

/**
 * Answers those who are not signed in before their document is parsed: there is nothing in it that they may ask, and
 * parsing and validating a long one takes most of what answering it would. Where everyone may read the schema, short
 * documents pass: the few that tools ask are answered from memory, by their text, and others are counted.
 */
export class StrangersDocuments {
  readonly #policy: Introspection
  readonly #strangers: Strangers
  readonly #answers = new WeightedCache<string>(budget)

  constructor(policy: Introspection, strangers: Strangers) {
    this.#policy = policy
    this.#strangers = strangers
  }

  /** What a stranger is answered at once; null for what is to be executed. */
  answer({ query, operationName }: Params, { session, call }: ServerContext): Result | null {
    if (isSignedIn(session)) return null
    if (this.#policy !== 'everyone' || query.length > longestOfStrangers) return { errors: [unauthenticated()] }
    const known = this.#answers.get(keyOf(query, operationName))
    if (known !== undefined) return { data: {}, stringify: () => known }
    const refusal = orRefusal(() => this.#strangers.countDocument(call.caller))
    return refusal ? { errors: [refusal] } : null
  }

  /** Remembers what a stranger was answered, where that follows from the text alone. */
  remember({ query, operationName }: Params, document: DocumentNode, result: Result): void {
    const hasVariables = getOperationAST(document, operationName)?.variableDefinitions?.length !== 0
    if (result.errors || hasVariables) return
    const key = keyOf(query, operationName)
    const answer = JSON.stringify(result)
    // Characters take two bytes at the most.
    this.#answers.set(key, answer, 2 * (key.length + answer.length))
  }
}

/** A text may hold several operations; names of operations hold no line break. */
const keyOf = (text: string, operationName: string | null | undefined): string => `${operationName ?? ''}\n${text}`
