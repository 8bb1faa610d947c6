import type { GraphQLSchema } from 'graphql'

import { refusalFor } from './access.ts'
import type { Context } from './context.ts'

/**
 * Closes every root field that does not declare who may call it: a forgotten declaration makes a field useless, not
 * public.
 */
export function denyUndeclared(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  for (const field of roots.flatMap((root) => Object.values(root?.getFields() ?? {}))) {
    if (declaresAccess(field.extensions)) continue
    field.resolve = (_root: unknown, _args: unknown, context: Context) => {
      throw refusalFor(context)
    }
    field.subscribe = field.resolve
  }
  return schema
}

/** Whether a field was built with `authScopes` (Pothos keeps a field's options in its extensions). */
export function declaresAccess(extensions: Readonly<Record<string, unknown>>): boolean {
  const options = extensions['pothosOptions']
  return typeof options === 'object' && options !== null && 'authScopes' in options && options.authScopes !== undefined
}
