import { getOperationAST, type ExecutionArgs, type ExecutionResult } from 'graphql'
import { isAsyncIterable } from 'graphql-yoga'

import { WeightedCache } from '../base/weighted-cache.ts'
import { isSignedIn, unauthenticated } from '../graphql/access.ts'
import type { GraphqlPlugin } from './graphql-plugin.ts'
import { orRefusal } from './responses.ts'
import type { Strangers } from './strangers.ts'
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
export function useStrangers(policy: Introspection, strangers: Strangers): GraphqlPlugin {
  const answers = new WeightedCache<string>(budget)
  return {
    onParams({ params: { query = '', operationName }, context: { session, call }, setResult }) {
      if (isSignedIn(session)) return
      if (policy !== 'everyone' || query.length > longestOfStrangers) {
        setResult({ errors: [unauthenticated()] })
        return
      }
      const known = answers.get(keyOf(query, operationName))
      if (known !== undefined) {
        setResult(written(known))
        return
      }
      const refusal = orRefusal(() => strangers.countDocument(call.caller))
      if (refusal) setResult({ errors: [refusal] })
    },
    onExecute({ args }) {
      const key = isSignedIn(args.contextValue.session) ? null : keyOfExecution(args)
      if (key === null) return
      return {
        onExecuteDone({ result }: { result: ExecutionResult | AsyncIterable<unknown> }) {
          if (isAsyncIterable(result) || result.errors) return
          const answer = JSON.stringify(result)
          // Characters take two bytes at the most.
          answers.set(key, answer, 2 * (key.length + answer.length))
        },
      }
    },
  }
}

/** A result whose text is known; Yoga asks a result how it is written before it does so itself. */
const written = (text: string): ExecutionResult & { readonly stringify: () => string } => ({
  data: {},
  stringify: () => text,
})

/** A text may hold several operations; names of operations hold no line break. */
const keyOf = (text: string, operationName: string | null | undefined): string => `${operationName ?? ''}\n${text}`

/** Null where the answer does not follow from the text alone. */
function keyOfExecution({ document, operationName }: ExecutionArgs): string | null {
  const text = document.loc?.source.body
  const hasVariables = getOperationAST(document, operationName)?.variableDefinitions?.length !== 0
  return text === undefined || hasVariables ? null : keyOf(text, operationName)
}
