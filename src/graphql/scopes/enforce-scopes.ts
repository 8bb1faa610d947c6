import {
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type GraphQLFieldResolver,
  type GraphQLNamedType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type SelectionNode,
} from 'graphql'

import { includesScope, type ApiScope } from '../../auth/api-scopes.ts'
import { forbidden, limitOf } from '../kit/access.ts'
import type { Context } from '../kit/context.ts'
import { fieldScopes, typeResources } from './field-scopes.ts'

type Resolver = GraphQLFieldResolver<unknown, Context>

/**
 * Makes every root field refuse tokens that are limited to scopes which do not include what the field and the types
 * that the operation selects need. All other callers are let through at once.
 */
export function enforceScopes(schema: GraphQLSchema): GraphQLSchema {
  const known = new Set(Object.keys(fieldScopes))
  const guard = (name: string, inner: Resolver): Resolver => {
    const needed = fieldScopes[name]
    if (!needed) throw new Error(`The root field ${name} is missing in src/graphql/scopes/field-scopes.ts`)
    return (root, args, context, info) => {
      assertIncluded(context, needed, info)
      return inner(root, args, context, info)
    }
  }
  const all = [schema.getQueryType(), schema.getMutationType()].flatMap((root) =>
    Object.values(root?.getFields() ?? {}),
  )
  for (const field of all) {
    known.delete(field.name)
    if (!field.resolve) throw new Error(`The root field ${field.name} has no resolver`)
    field.resolve = guard(field.name, field.resolve)
  }
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    known.delete(field.name)
    if (!field.subscribe) throw new Error(`The root field ${field.name} has no stream`)
    field.subscribe = guard(field.name, field.subscribe)
  }
  if (known.size > 0) throw new Error(`field-scopes.ts names fields that do not exist: ${[...known].join(', ')}`)
  return schema
}

function assertIncluded(context: Context, needed: readonly ApiScope[], info: GraphQLResolveInfo): void {
  const limit = limitOf(context.session)
  if (limit === null) return
  const isMissing = (scope: ApiScope) => !includesScope(limit, scope)
  if (needed.some(isMissing) || selectedIn(info).some(isMissing)) throw forbidden()
}

/** What the types need that an operation selects, anywhere in it. Each fragment is looked at once. */
function selectedIn({ schema, operation, fragments }: GraphQLResolveInfo): readonly ApiScope[] {
  const needed = new Set<ApiScope>()
  const seen = new Set<string>()
  const walk = (selections: readonly SelectionNode[], parent: GraphQLNamedType | null | undefined): void => {
    for (const selection of selections) {
      switch (selection.kind) {
        case Kind.FIELD: {
          // Fields of introspection are in no type, and show no resource.
          const field =
            isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[selection.name.value] : null
          if (!field) break
          const type = getNamedType(field.type)
          const resource = typeResources.get(type.name.replace(/(Connection|Edge)$/, ''))
          if (resource) needed.add(`${resource}:read`)
          walk(selection.selectionSet?.selections ?? [], type)
          break
        }
        case Kind.INLINE_FRAGMENT:
          walk(
            selection.selectionSet.selections,
            selection.typeCondition ? schema.getType(selection.typeCondition.name.value) : parent,
          )
          break
        case Kind.FRAGMENT_SPREAD: {
          const fragment = fragments[selection.name.value]
          if (!fragment || seen.has(selection.name.value)) break
          seen.add(selection.name.value)
          walk(fragment.selectionSet.selections, schema.getType(fragment.typeCondition.name.value))
        }
      }
    }
  }
  walk(operation.selectionSet.selections, schema.getRootType(operation.operation))
  return [...needed]
}
