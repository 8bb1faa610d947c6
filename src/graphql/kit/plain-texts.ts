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
import { textProblem } from '../../base/texts/text.ts'

export const plainTexts = 'plainTexts'

declare global {
  // Pothos looks here for the plugins that a builder may name.
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Pothos declares it so
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      plainTexts: PlainTextsPlugin<Types>
    }
  }
}

/** The `extensions` of an input field that takes any text, because the domain turns it into a plain one. */
export const takesAnyText = { takesAnyText: true }

/**
 * Refuses texts that a database would refuse: GraphQL's `String` accepts a NUL and half of a surrogate pair, and cannot
 * be replaced. The plugin checks every `String` in every argument, so that new arguments are covered, too. All further
 * rules for a text are the domain's.
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

// Named after the errors plugin, it is called inside it: mutations return what it throws in their union.
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
    const problem = type === GraphQLString ? textProblem(value) : null
    return problem === null ? [] : [{ path, ...problem }]
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
