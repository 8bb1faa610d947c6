import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  isUnionType,
} from 'graphql'

import { argumentsFor, rootFields, selectAll, type IdFor } from './schema-walk.ts'

type Field = GraphQLField<unknown, unknown>

interface Step {
  readonly field: Field
  /** The member of a union that the next step continues from; null where the field is not a union. */
  readonly member: string | null
}

/** A field that takes arguments, and the fields that lead to it from a root. */
export interface Way {
  readonly kind: string
  readonly name: string
  readonly steps: readonly Step[]
  readonly field: Field
}

/** Every field of the schema that takes arguments, with the shortest way to it; a root field is its own way. */
export function waysToArguments(schema: GraphQLSchema): Way[] {
  const seen = new Set<string>()
  const queue = rootFields(schema).map(({ kind, field }): Way => ({ kind, name: field.name, steps: [], field }))
  const found: Way[] = []
  for (let way = queue.shift(); way; way = queue.shift()) {
    if (way.field.args.length > 0) found.push(way)
    const type = getNamedType(way.field.type)
    const members = isUnionType(type) ? type.getTypes() : isObjectType(type) ? [type] : []
    for (const member of members.filter((one) => !seen.has(one.name))) {
      seen.add(member.name)
      queue.push(...beyond(way, member, isUnionType(type) ? member.name : null))
    }
  }
  return found
}

const beyond = (way: Way, type: GraphQLObjectType, member: string | null): Way[] =>
  Object.values(type.getFields()).map((field) => ({
    kind: way.kind,
    name: `${type.name}.${field.name}`,
    steps: [...way.steps, { field: way.field, member }],
    field,
  }))

/** The operation that calls a way's field with `args`, and the fields before it with the arguments that they need. */
export function operationAlong(way: Way, args: Readonly<Record<string, unknown>>, idFor: IdFor) {
  const declared: string[] = []
  const variables: Record<string, unknown> = {}
  const call = (field: Field, values: Readonly<Record<string, unknown>>): string => {
    const passed = field.args.flatMap(({ name, type }) => {
      if (!(name in values)) return []
      const variable = `v${declared.length}`
      declared.push(`$${variable}: ${String(type)}`)
      variables[variable] = values[name]
      return [`${name}: $${variable}`]
    })
    return passed.length === 0 ? field.name : `${field.name}(${passed.join(', ')})`
  }
  const [open, close] = way.steps.reduce(
    ([before, after], { field, member }) => {
      const inner = member === null ? '' : `... on ${member} { `
      return [
        `${before}${call(field, argumentsFor(field, idFor))} { ${inner}`,
        `${member === null ? '' : ' }'} }${after}`,
      ]
    },
    ['', ''],
  )
  const selection = selectAll(way.field.type, 0, idFor)
  const text = `${open}${call(way.field, args)} ${selection}${close}`
  const head = declared.length === 0 ? '' : `(${declared.join(', ')})`
  return { query: `${way.kind} ${head} { ${text} }`, variables }
}
