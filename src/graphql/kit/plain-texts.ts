import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import {
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLInputType,
  type GraphQLResolveInfo,
  GraphQLString,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql'

import { ValidationError, type ValidationIssue } from '../../base/errors.ts'
import { textProblem } from '../../base/text.ts'

export const plainTexts = 'plainTexts'

declare global {
  // Where Pothos looks for the plugins that a builder may name.
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Pothos declares it so
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      plainTexts: PlainTextsPlugin<Types>
    }
  }
}

/** The `extensions` of an input field whose function of the domain makes a plain text of whatever comes. */
export const takesAnyText = { takesAnyText: true }

/**
 * Lets no text in that a database refuses: `String` takes a NUL and half of a surrogate pair, and GraphQL allows nobody
 * to replace it. It looks at every `String` of every argument, so that a new one is looked at without anybody's thinking
 * of it. What a text may be besides is a rule of the domain.
 */
class PlainTextsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { args }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    return Object.keys(args).length === 0 ? resolver : afterCheck(resolver)
  }

  override wrapSubscribe(
    subscriber: GraphQLFieldResolver<unknown, Types['Context'], object> | undefined,
    { args }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> | undefined {
    return !subscriber || Object.keys(args).length === 0 ? subscriber : afterCheck(subscriber)
  }
}

// Named behind the errors plugin, it is called within it: mutations give what it throws in their union.
SchemaBuilder.registerPlugin(plainTexts, PlainTextsPlugin)

const afterCheck =
  <Context>(next: GraphQLFieldResolver<unknown, Context, object>): GraphQLFieldResolver<unknown, Context, object> =>
  (parent, args, context, info) => {
    const [first, ...rest] = issuesOf(args, info)
    if (first) throw new ValidationError([first, ...rest])
    return next(parent, args, context, info)
  }

function issuesOf(args: object, { parentType, fieldName }: GraphQLResolveInfo): ValidationIssue[] {
  const field: GraphQLField<unknown, unknown> | undefined = parentType.getFields()[fieldName]
  const values = Object.entries(args)
  return values.flatMap(([name, value]) => {
    const argument = field?.args.find((one) => one.name === name)
    return argument ? issuesIn(argument.type, value, [name]) : []
  })
}

function issuesIn(type: GraphQLInputType, value: unknown, path: readonly string[]): ValidationIssue[] {
  if (isNonNullType(type)) return issuesIn(type.ofType, value, path)
  if (typeof value === 'string') {
    const message = type === GraphQLString ? textProblem(value) : null
    return message === null ? [] : [{ path, message }]
  }
  if (Array.isArray(value) && isListType(type)) {
    return value.flatMap((item, index) => issuesIn(type.ofType, item, [...path, String(index)]))
  }
  if (typeof value !== 'object' || value === null || !isInputObjectType(type)) return []
  const fields = type.getFields()
  return Object.entries(value).flatMap(([name, inner]) => {
    const field = fields[name]
    return !field || field.extensions['takesAnyText'] === true ? [] : issuesIn(field.type, inner, [...path, name])
  })
}
