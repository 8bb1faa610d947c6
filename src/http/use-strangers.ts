import { isSignedIn, unauthenticated } from '../graphql/access.ts'
import type { GraphqlPlugin } from './graphql-plugin.ts'
import type { Introspection } from './use-introspection.ts'

/** Characters of a document of somebody who is not signed in: GraphiQL's own question about the schema has 1700. */
export const longestOfStrangers = 4000

/**
 * Answers those who are not signed in before their document is parsed: there is nothing in it that they may ask, and
 * parsing and validating a long one takes most of what answering it would. Where everyone may read the schema, short
 * documents pass.
 */
export function useStrangers(policy: Introspection): GraphqlPlugin {
  return {
    onParams({ params: { query = '' }, context, setResult }) {
      if (isSignedIn(context.session)) return
      if (policy === 'everyone' && query.length <= longestOfStrangers) return
      setResult({ errors: [unauthenticated()] })
    },
  }
}
