import { MaxTokensParserWLexer } from '@escape.tech/graphql-armor-max-tokens'
import type { DocumentNode, GraphQLError, ParseOptions } from 'graphql'

import { queryLimits } from '../../../graphql/kit/cost/complexity.ts'
import { sizeOf } from './document-size.ts'
import { refused } from '../../pipeline/refusals.ts'

/**
 * The limits of a document, with each fragment counted as often as it is spread. Together with the limits that take
 * variables into account (complexity, depth and breadth, in graphql/kit/complexity.ts) they keep one request from
 * costing more than a page needs.
 */
export const documentLimits = { tokens: 2000, nodes: 2000, depth: queryLimits.depth, aliases: 30, directives: 20 }

const tooMuch = (what: string): GraphQLError => refused(400, 'QUERY_TOO_COMPLEX', `The query ${what}.`)

const tokens = {
  n: documentLimits.tokens,
  onReject: [
    () => {
      throw tooMuch(`has more than ${documentLimits.tokens} tokens`)
    },
  ],
}

/**
 * Parses a document, and refuses one that exceeds the limits: the time to validate, execute and compile a document
 * grows with its size after its fragments are expanded.
 * @throws GraphQLError
 */
export function parseWithinLimits(source: string, options?: ParseOptions): DocumentNode {
  const document = new MaxTokensParserWLexer(source, { ...options, ...tokens }).parseDocument()
  const { nodes, depth, aliases, directives } = sizeOf(document)
  const limits = documentLimits
  // Introspection has a limit of its own, graphql-js's MaxIntrospectionDepthRule.
  if (depth > limits.depth) throw tooMuch(`is deeper than ${limits.depth} levels`)
  if (aliases > limits.aliases) throw tooMuch(`has more than ${limits.aliases} aliases`)
  if (directives > limits.directives) throw tooMuch(`has more than ${limits.directives} directives`)
  if (nodes > limits.nodes) throw tooMuch(`has more than ${limits.nodes} fields and arguments, fragments written out`)
  return document
}
