import type { ASTVisitor, ValidationContext } from 'graphql'

import type { GraphqlPlugin } from './graphql-plugin.ts'
import { refused } from '../pipeline/refusals.ts'

/**
 * Who may read the schema through GraphQL. Whether callers that are not signed in may do so is decided before their
 * document is parsed (strangers-documents.ts).
 */
export type Introspection = 'authenticated' | 'everyone' | 'nobody'

/** Refuses `__schema` and `__type` under the policy `nobody`; `__typename` is always allowed. */
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
