import {
  Kind,
  type ArgumentNode,
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql'

/** The size of a document after every fragment is expanded where it is spread. */
export interface DocumentSize {
  /** Fields, spreads, arguments, directives and the values in them, of all operations. */
  readonly nodes: number
  readonly aliases: number
  readonly directives: number
  /** Levels of fields of the deepest operation; levels below `__schema` do not count. */
  readonly depth: number
}

const nothing: DocumentSize = { nodes: 0, aliases: 0, directives: 0, depth: 0 }

/**
 * Measures a document as if its fragments were expanded, in time that grows only with the document as written: each
 * fragment is measured once. Sizes too large for a double become Infinity, which is above every limit. A fragment that
 * contains itself counts as nothing there: validation refuses it (GraphQL specification, 5.5.2.2).
 */
export function sizeOf({ definitions }: DocumentNode): DocumentSize {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const one of definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one)
  const measured = new Map<string, DocumentSize>()

  const ofFragment = (name: string): DocumentSize => {
    const known = measured.get(name)
    if (known) return known
    measured.set(name, nothing)
    const fragment = fragments.get(name)
    const size = fragment ? plus(ofSelections(fragment.selectionSet), own(fragment.directives)) : nothing
    measured.set(name, size)
    return size
  }
  const ofSelections = (set: SelectionSetNode | undefined): DocumentSize =>
    (set?.selections ?? []).reduce((sum, one) => plus(sum, ofSelection(one)), nothing)
  const ofSelection = (one: SelectionNode): DocumentSize => {
    if (one.kind === Kind.FRAGMENT_SPREAD) return plus(own(one.directives), ofFragment(one.name.value))
    const below = ofSelections(one.selectionSet)
    if (one.kind === Kind.INLINE_FRAGMENT) return plus(own(one.directives), below)
    const depth = one.name.value === '__schema' ? 1 : below.depth + 1
    return plus(own(one.directives, one.arguments, one.alias ? 1 : 0), { ...below, depth })
  }

  return definitions.reduce((sum, one) => {
    // Fragments count where they are spread; validation refuses fragments that no operation spreads.
    if (one.kind !== Kind.OPERATION_DEFINITION) return sum
    return plus(sum, plus(own(one.directives), ofSelections(one.selectionSet)))
  }, nothing)
}

const plus = (a: DocumentSize, b: DocumentSize): DocumentSize => ({
  nodes: a.nodes + b.nodes,
  aliases: a.aliases + b.aliases,
  directives: a.directives + b.directives,
  depth: Math.max(a.depth, b.depth),
})

/** The size of a selection itself, without the selections below it. */
function own(
  directives: readonly DirectiveNode[] = [],
  given: readonly ArgumentNode[] = [],
  aliases = 0,
): DocumentSize {
  const withArguments = directives.reduce((sum, one) => sum + 1 + sizeOfArguments(one.arguments), 0)
  return { nodes: 1 + withArguments + sizeOfArguments(given), aliases, directives: directives.length, depth: 0 }
}

const sizeOfArguments = (given: readonly ArgumentNode[] = []): number =>
  given.reduce((sum, { value }) => sum + 1 + sizeOfValue(value), 0)

function sizeOfValue(value: ValueNode): number {
  switch (value.kind) {
    case Kind.LIST:
      return value.values.reduce((sum, one) => sum + sizeOfValue(one), 1)
    case Kind.OBJECT:
      return value.fields.reduce((sum, { value: one }) => sum + 1 + sizeOfValue(one), 1)
    default:
      return 1
  }
}
