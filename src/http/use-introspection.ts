import type { ASTVisitor, ValidationContext } from 'graphql'

import type { GraphqlPlugin } from './graphql-plugin.ts'
import { refused } from './responses.ts'

/** Who may read the schema through GraphQL. */
export type Introspection = 'authenticated' | 'everyone' | 'nobody'

/** Keeps `__schema` and `__type` from those who may not read the schema; `__typename` is everybody's. */
export function useIntrospection(policy: Introspection): GraphqlPlugin {
  return {
    onValidate({ addValidationRule, context }) {
      if (policy === 'nobody') addValidationRule(noIntrospection)
      else if (policy === 'authenticated' && context.session.kind === 'anonymous') {
        addValidationRule(noIntrospectionForAnonymous)
      }
    },
  }
}

// Each rule has a name of its own: results of validation are cached by the names of the rules.
function noIntrospection(context: ValidationContext): ASTVisitor {
  return onIntrospection(() => {
    context.reportError(refused(403, 'FORBIDDEN', 'The schema cannot be asked for on this server.'))
  })
}

function noIntrospectionForAnonymous(context: ValidationContext): ASTVisitor {
  return onIntrospection(() => {
    const headers = { 'www-authenticate': 'Bearer' }
    context.reportError(refused(401, 'UNAUTHENTICATED', 'Sign in first: the schema is for signed-in callers.', headers))
  })
}

const onIntrospection = (report: () => void): ASTVisitor => ({
  Field({ name }) {
    if (name.value === '__schema' || name.value === '__type') report()
  },
})
