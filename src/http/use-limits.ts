import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases'
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth'
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives'
import { MaxTokensParserWLexer } from '@escape.tech/graphql-armor-max-tokens'
import type { ParseOptions, ValidationContext } from 'graphql'

import { queryLimits } from '../graphql/complexity.ts'
import type { GraphqlPlugin } from './graphql-plugin.ts'
import { refused } from './responses.ts'

/**
 * What a document may hold. Together with the limits that see variables (complexity, depth and breadth, in
 * graphql/complexity.ts) they keep one request from costing more than a page needs.
 */
export const documentLimits = { tokens: 2000, depth: queryLimits.depth, aliases: 30, directives: 20 }

const tooMuch = (what: string) => refused(400, 'QUERY_TOO_COMPLEX', `The query ${what}.`)

/** The libraries' own errors come as HTTP 200 and without a code. */
const rejecting = (n: number, what: string) => ({
  n,
  propagateOnRejection: false,
  onReject: [(context: ValidationContext | null) => context?.reportError(tooMuch(what))],
})

const rules = [
  // Introspection has its own limit, graphql-js's MaxIntrospectionDepthRule.
  maxDepthRule({
    flattenFragments: true,
    ...rejecting(documentLimits.depth, `is deeper than ${documentLimits.depth} levels`),
  }),
  maxAliasesRule(rejecting(documentLimits.aliases, `has more than ${documentLimits.aliases} aliases`)),
  maxDirectivesRule(rejecting(documentLimits.directives, `has more than ${documentLimits.directives} directives`)),
]

const tokens = {
  n: documentLimits.tokens,
  onReject: [
    () => {
      throw tooMuch(`has more than ${documentLimits.tokens} tokens`)
    },
  ],
}

/** Refuses documents that are out of all proportion, before anything is executed. */
export function useLimits(): GraphqlPlugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string, options?: ParseOptions) =>
        new MaxTokensParserWLexer(source, { ...options, ...tokens }).parseDocument(),
      )
    },
    onValidate({ addValidationRule }) {
      for (const rule of rules) addValidationRule(rule)
    },
  }
}
