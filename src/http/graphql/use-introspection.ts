import type { ASTVisitor, ValidationContext } from 'graphql'

import type { GraphqlPlugin } from './graphql-plugin.ts'
import { refused } from '../pipeline/refusals.ts'

/**
 * Who may read the schema through GraphQL. Whether that includes those who are not signed in is asked before their
 * document is parsed (use-strangers.ts).
 */
export type Introspection = 'authenticated' | 'everyone' | 'nobody'

/** Keeps `__schema` and `__type` from callers where nobody may read the schema; `__typename` is everybody's. */
export function useIntrospection(policy: Introspection): GraphqlPlugin {
  return {
    onValidate({ addValidationRule }) {
      if (policy === 'nobody') addValidationRule(noIntrospection)
    },
  }
}

const noIntrospection = (context: ValidationContext): ASTVisitor => ({
  Field({ name }) {
    if (name.value !== '__schema' && name.value !== '__type') return
    context.reportError(refused(403, 'FORBIDDEN', 'The schema cannot be asked for on this server.'))
  },
})
