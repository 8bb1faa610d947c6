import {
  astFromValue,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type GraphQLUnionType,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
  print,
} from 'graphql'

import { queryLimits } from '../../src/graphql/kit/cost/complexity.ts'

/** An id for each place that takes a UUID; all other values are made up so that they pass the scalars. */
export type IdFor = (place: string) => string

const samples: Readonly<Record<string, unknown>> = {
  String: 'sample',
  Boolean: true,
  Int: 1500,
  Float: 1,
  ID: 'sample',
  DateTimeISO: '2026-01-01T00:00:00.000Z',
  Port: 4242,
  IP: '203.0.113.7',
  CIDR: '192.168.77.0/24',
  URL: 'https://replica.example.com',
  PositiveInt: 1,
  NonNegativeInt: 1,
}

/** The file for every `File` argument; the caller sends it as a multipart upload. */
export const fileMark = Symbol('file')

/** A value for a type: every place that takes an id gets one; optional fields without ids are left out. */
function valueFor(type: GraphQLInputType, place: string, idFor: IdFor): unknown {
  if (isNonNullType(type)) return valueFor(type.ofType, place, idFor)
  if (isListType(type)) return [valueFor(type.ofType, place, idFor)]
  if (isEnumType(type)) return type.getValues()[0]?.name
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields())
    const wanted = type.isOneOf
      ? fields.slice(0, 1)
      : fields.filter((field) => isRequiredInputField(field) || (getNamedType(field.type) !== type && takesId(field)))
    return Object.fromEntries(
      wanted.map((field) => [field.name, valueFor(field.type, `${place}.${field.name}`, idFor)]),
    )
  }
  if (type.name === 'UUID') return idFor(place)
  if (type.name === 'File') return fileMark
  if (!(type.name in samples)) throw new Error(`${place}: the walk has no sample of the scalar ${type.name}: add one`)
  return samples[type.name]
}

/** The arguments for a call of a field: the required ones, all that take an id, and a page of a list. */
export function argumentsFor(field: GraphQLField<unknown, unknown>, idFor: IdFor): Record<string, unknown> {
  const wanted = field.args.filter((argument) => isRequiredArgument(argument) || takesId(argument))
  const values = Object.fromEntries(wanted.map(({ name, type }) => [name, valueFor(type, name, idFor)]))
  return { ...values, ...pageOf(field) }
}

/** The argument that asks for a page, if a field has pages. */
export const pageOf = ({ args }: GraphQLField<unknown, unknown>): { first?: number } =>
  args.some(({ name }) => name === 'first') ? { first: pageSizes.ofRoot } : {}

/** Rows of a page: more than a tenant has in these tests, and few enough for the limits of a query. */
const pageSizes = { ofRoot: 20, below: 3 }

/** Whether a UUID appears anywhere in the argument's or field's type. */
export function takesId({ type }: GraphQLArgument | GraphQLInputField): boolean {
  const named = getNamedType(type)
  if (isInputObjectType(named)) {
    // A filter may hold filters of its own type.
    return Object.values(named.getFields()).some((field) => getNamedType(field.type) !== named && takesId(field))
  }
  return named.name === 'UUID'
}

/**
 * A selection of everything below a type, `depth` objects deep: every field, every edge; fields that take a required
 * argument are called with the values of `idFor`.
 */
export function selectAll(type: GraphQLOutputType, depth: number, idFor: IdFor): string {
  if (!isCompositeType(getNamedType(type))) return ''
  return `{ __typename ${selectedFields(type, depth, idFor).join(' ')} }`
}

/** The same as several selections of one type, none of which has more fields than the server takes at once. */
export function selectInParts(type: GraphQLOutputType, depth: number, idFor: IdFor): string[] {
  const named = getNamedType(type)
  if (!isCompositeType(named)) return ['']
  const { nodes, ...further } = isObjectType(named) && isPlumbing(named) ? named.getFields() : {}
  if (nodes) {
    const count = 'totalCount' in further ? 'totalCount ' : ''
    return selectInParts(nodes.type, depth - 1, idFor).map((part) => `{ __typename ${count}nodes ${part} }`)
  }
  const parts: { text: string; size: number }[] = []
  for (const text of selectedFields(type, depth, idFor)) {
    // A little too many: names of arguments and fragments are counted, too. Ids are not: their letters differ.
    const size = text.replaceAll(/"[^"]*"/g, '').match(/\b[A-Za-z_]\w*/g)?.length ?? 0
    const last = parts.at(-1)
    if (last && last.size + size < queryLimits.breadth) {
      last.text += ` ${text}`
      last.size += size
    } else parts.push({ text, size })
  }
  return parts.map(({ text }) => `{ __typename ${text} }`)
}

/** The types between a field with pages and its rows. */
const isPlumbing = ({ name }: { readonly name: string }): boolean => /(Connection|Edge|PageInfo)$/.test(name)

/**
 * The text of each field below a composite type; of a union, each within its member's fragment. `clashing` fields get
 * the alias that keeps a union's members apart.
 */
function selectedFields(
  type: GraphQLOutputType,
  depth: number,
  idFor: IdFor,
  { alias, clashing }: { alias: string; clashing: ReadonlySet<string> } = { alias: '', clashing: new Set() },
): string[] {
  const named = getNamedType(type)
  if (isUnionType(named)) {
    const apart = clashingFields(named)
    return named.getTypes().flatMap((one, index) => {
      const fields = selectedFields(one, depth, idFor, { alias: `m${index}_`, clashing: apart })
      return ['__typename', ...fields].map((field) => `... on ${one.name} { ${field} }`)
    })
  }
  if (!isObjectType(named) && !isInterfaceType(named)) return []
  return Object.values(named.getFields()).flatMap((field) => {
    const inner = getNamedType(field.type)
    const plumbing = isObjectType(inner) && isPlumbing(inner)
    if (isCompositeType(inner) && !plumbing && depth <= 0) return []
    if (plumbing && field.name === 'edges') return []
    const label = clashing.has(field.name) ? `${alias}${field.name}: ` : ''
    const below = selectAll(field.type, plumbing ? depth : depth - 1, idFor)
    return [`${label}${field.name}${literalArguments(field, idFor)} ${below}`]
  })
}

/** Fields of one name and different types in a union's members, which GraphQL does not merge. */
function clashingFields(union: GraphQLUnionType): ReadonlySet<string> {
  const types = new Map<string, string>()
  const clashing = new Set<string>()
  for (const field of union.getTypes().flatMap((one) => Object.values(one.getFields()))) {
    const known = types.get(field.name) ?? String(field.type)
    if (known !== String(field.type)) clashing.add(field.name)
    types.set(field.name, known)
  }
  return clashing
}

/** The arguments as text for a query; lists are requested in small pages, within the server's limits. */
function literalArguments(field: GraphQLField<unknown, unknown>, idFor: IdFor): string {
  const values = argumentsFor(field, idFor)
  if ('first' in values) values['first'] = pageSizes.below
  const parts = field.args.flatMap(({ name, type }) => {
    if (!(name in values)) return []
    // Variables have the names of enum values, as literals have them; astFromValue takes the values behind the names.
    if (isEnumType(getNullableType(type))) return [`${name}: ${String(values[name])}`]
    const literal = astFromValue(values[name], type)
    return literal ? [`${name}: ${print(literal)}`] : []
  })
  return parts.length === 0 ? '' : `(${parts.join(', ')})`
}

/** Every field of the root types, with its kind of operation. */
export function rootFields(schema: GraphQLSchema) {
  const kinds = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const
  return kinds.flatMap(([kind, root]) => Object.values(root?.getFields() ?? {}).map((field) => ({ kind, field })))
}

/** A whole operation that calls one root field with variables. */
export function operationFor(
  kind: string,
  field: GraphQLField<unknown, unknown>,
  args: Record<string, unknown>,
  selection: string,
): string {
  const used = field.args.filter(({ name }) => name in args)
  const declared = used.map(({ name, type }) => `$${name}: ${String(type)}`)
  const passed = used.map(({ name }) => `${name}: $${name}`)
  const list = (parts: string[]) => (parts.length === 0 ? '' : `(${parts.join(', ')})`)
  return `${kind} ${list(declared)} { ${field.name}${list(passed)} ${selection} }`
}
