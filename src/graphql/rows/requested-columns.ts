import { queryFromInfo } from '@pothos/plugin-prisma'
import {
  isAbstractType,
  isObjectType,
  Kind,
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type SelectionSetNode,
} from 'graphql'

/** What is asked about a field. Callers must reuse the object: it is the key under which the answer is remembered. */
export interface ColumnsRequest {
  readonly type: string
  /** Where the rows are below the field, such as `['edges', 'node']`; the field's own value when absent. */
  readonly paths?: readonly (readonly string[])[]
  /** Whether to include computed columns, which a field names in its extension `computedColumn`. */
  readonly computed?: boolean
}

/** By the field of a parsed document, which is kept between requests, and by the request. */
const known = new WeakMap<FieldNode, Map<ColumnsRequest, readonly string[]>>()

/**
 * The columns that the fields of a query need of the rows of a type. Fields that a condition (`@skip`, `@include`)
 * leaves out are included, so that the answer is always the same and is found once for each field of a document.
 * @returns for one field, the same list each time
 */
export function requestedColumns(info: GraphQLResolveInfo, request: ColumnsRequest): readonly string[] {
  const [first] = info.fieldNodes
  if (info.fieldNodes.length === 1 && first) return columnsOfField(first, request, info)
  return [...new Set(info.fieldNodes.flatMap((node) => columnsOfField(node, request, info)))]
}

function columnsOfField(node: FieldNode, request: ColumnsRequest, info: GraphQLResolveInfo): readonly string[] {
  const ofNode = known.get(node) ?? new Map<ColumnsRequest, readonly string[]>()
  known.set(node, ofNode)
  const found = ofNode.get(request) ?? columnsBelow(node, request, info)
  ofNode.set(request, found)
  return found
}

function columnsBelow(
  node: FieldNode,
  { type: typeName, paths = [[]], computed = false }: ColumnsRequest,
  info: GraphQLResolveInfo,
): readonly string[] {
  const type = info.schema.getType(typeName)
  if (!isObjectType(type)) throw new Error(`${typeName} has no columns`)
  const fields = type.getFields()
  const names = new Set<string>()
  for (const path of paths) {
    let places = [node]
    for (const step of path) places = places.flatMap((place) => fieldsOf(place, null, info).filter(isNamed(step)))
    for (const { name } of places.flatMap((place) => fieldsOf(place, type, info))) {
      if (fields[name.value]) names.add(name.value)
    }
  }
  const columns = columnsOf(type, [...names], info)
  if (!columns) throw new Error(`${typeName} selects more than columns`)
  if (!computed) return columns
  const others = [...names].map((name) => fields[name]?.extensions['computedColumn'])
  return [...columns, ...others.filter((column) => typeof column === 'string')]
}

const isNamed =
  (name: string) =>
  (field: FieldNode): boolean =>
    field.name.value === name

/** The fields selected below a field, also through fragments; with a `type`, only those that its rows have. */
function fieldsOf({ selectionSet }: FieldNode, type: GraphQLObjectType | null, info: GraphQLResolveInfo): FieldNode[] {
  const collect = (set: SelectionSetNode): FieldNode[] =>
    set.selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection]
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : info.fragments[selection.name.value]
      if (!fragment) return []
      const condition = fragment.typeCondition?.name.value
      const isOther =
        type !== null &&
        condition !== undefined &&
        condition !== type.name &&
        !isAbstractType(info.schema.getType(condition))
      return isOther ? [] : collect(fragment.selectionSet)
    })
  return selectionSet ? collect(selectionSet) : []
}

/**
 * The columns that fields of a type need, with those that the type always has: what the Prisma plugin would select for a
 * query of these fields.
 * @returns null if they need more than columns of the row
 */
export function columnsOf(
  type: GraphQLObjectType,
  fields: readonly string[],
  info: GraphQLResolveInfo,
): string[] | null {
  const selections = fields.map((value): FieldNode => ({ kind: Kind.FIELD, name: { kind: Kind.NAME, value } }))
  const name = { kind: Kind.NAME, value: 'rows' } as const
  const row: FieldNode = { kind: Kind.FIELD, name, selectionSet: { kind: Kind.SELECTION_SET, selections } }
  // The context is where the plugin would note that it has planned these rows: here it is about no row.
  const { select } = queryFromInfo({
    context: {},
    info: { ...info, fieldNodes: [row], returnType: type },
  }) as { select?: object }
  const columns = Object.entries(select ?? {})
  return columns.length > 0 && columns.every(([, wanted]) => wanted === true) ? columns.map(([column]) => column) : null
}
