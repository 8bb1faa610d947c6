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

function columnsOfField(node: FieldNode, request: ColumnsRequest, document: Document): readonly string[] {
  const ofNode = known.get(node) ?? new Map<ColumnsRequest, readonly string[]>()
  known.set(node, ofNode)
  const found = ofNode.get(request) ?? columnsBelow(node, request, document)
  ofNode.set(request, found)
  return found
}

type Document = Pick<GraphQLResolveInfo, 'fragments' | 'schema'>

function columnsBelow(
  node: FieldNode,
  { type: typeName, paths = [[]], computed = false }: ColumnsRequest,
  document: Document,
): readonly string[] {
  const type = document.schema.getType(typeName)
  if (!isObjectType(type)) throw new Error(`${typeName} has no columns`)
  const columns = new Set<string>(columnsOf(type.extensions))
  const fields = type.getFields()
  for (const path of paths) {
    let places = [node]
    for (const step of path) places = places.flatMap((place) => fieldsOf(place, null, document).filter(isNamed(step)))
    for (const place of places) {
      for (const { name } of fieldsOf(place, type, document)) {
        const { extensions = {} } = fields[name.value] ?? {}
        for (const column of columnsOf(extensions)) columns.add(column)
        if (computed && typeof extensions['computedColumn'] === 'string') columns.add(extensions['computedColumn'])
      }
    }
  }
  return [...columns]
}

const isNamed =
  (name: string) =>
  (field: FieldNode): boolean =>
    field.name.value === name

/** The fields selected below a field, also through fragments; with a `type`, only those that its rows have. */
function fieldsOf({ selectionSet }: FieldNode, type: GraphQLObjectType | null, document: Document): FieldNode[] {
  const collect = (set: SelectionSetNode): FieldNode[] =>
    set.selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection]
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : document.fragments[selection.name.value]
      if (!fragment) return []
      const condition = fragment.typeCondition?.name.value
      const isOther =
        type !== null &&
        condition !== undefined &&
        condition !== type.name &&
        !isAbstractType(document.schema.getType(condition))
      return isOther ? [] : collect(fragment.selectionSet)
    })
  return selectionSet ? collect(selectionSet) : []
}

/** The columns that a type or a field selects, as declared to the Prisma plugin. */
const columnsOf = ({ pothosPrismaSelect: select }: Readonly<Record<string, unknown>>): string[] =>
  typeof select === 'object' && select !== null
    ? Object.entries(select).flatMap(([column, wanted]) => (wanted === true ? [column] : []))
    : []
