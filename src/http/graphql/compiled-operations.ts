import {
  getNamedType,
  getOperationAST,
  isInputObjectType,
  isInputType,
  OperationTypeNode,
  typeFromAST,
  type ExecutionArgs,
  type GraphQLInputType,
  type GraphQLSchema,
  type NamedTypeNode,
  type OperationDefinitionNode,
} from 'graphql'
import type * as Jit from 'graphql-jit'

import { sizeOf } from './bounds/document-size.ts'

/** A query is compiled after this many successes: a page or an agent sends the same query again and again. */
const timesBefore = 10

/**
 * Larger queries are always interpreted. Compiling takes 0.06 ms for each field and argument, with fragments expanded,
 * and it blocks the event loop.
 */
const largestCompiled = 500

/** The memory of a compiled query for each field and argument (measured: 2.4 to 3.1 kB). */
const bytesOfNode = 3200

/** Loaded when the first query is worth compiling: half a megabyte of source that would slow down every start. */
let jit: typeof Jit | null = null
let loading: Promise<void> | null = null

/** What earlier executions have shown about a query of a document. */
export interface CompiledOperation {
  /** The cost of a query depends on its variables; without variables it is known after the first execution. */
  readonly hasVariables: boolean
  /** How often it was executed without an error, and therefore within its limits. */
  successes: number
  /** Whether it is known to be within its limits every time. */
  isMeasured: boolean
  /** Null when it cannot be compiled; absent before it was tried. */
  query?: Jit.CompiledQuery | null
}

/** The initial record of a query; null for other operations. */
export function queryOf({ document, operationName }: ExecutionArgs): CompiledOperation | null {
  const operation = getOperationAST(document, operationName)
  if (operation?.operation !== OperationTypeNode.QUERY) return null
  return { hasVariables: (operation.variableDefinitions ?? []).length > 0, successes: 0, isMeasured: false }
}

/**
 * Compiles an operation that was executed often enough (graphql-jit).
 * @returns the bytes of its compiled form; 0 when it was not compiled now
 */
export function compileIfWorthIt(operation: CompiledOperation, args: ExecutionArgs): number {
  if (operation.query !== undefined || operation.successes < timesBefore) return 0
  const { schema, document, operationName } = args
  const { nodes } = sizeOf(document)
  if (nodes > largestCompiled || takesEndlessInput(schema, getOperationAST(document, operationName))) {
    operation.query = null
    return 0
  }
  if (!jit) {
    loading ??= import('graphql-jit').then(
      (loaded) => void (jit = loaded),
      () => undefined,
    )
    return 0
  }
  const made = jit.compileQuery(schema, document, operationName ?? undefined)
  operation.query = jit.isCompiledQuery(made) ? made : null
  return operation.query === null ? 0 : nodes * bytesOfNode
}

/**
 * Whether a variable's type holds values of its own type, as a filter holds filters. graphql-jit writes code for each of
 * them, one within the other, and stops only when the stack is full: it blocked the event loop for eight seconds.
 */
function takesEndlessInput(schema: GraphQLSchema, operation: OperationDefinitionNode | null | undefined): boolean {
  return (operation?.variableDefinitions ?? []).some(({ type }) => {
    const known = typeFromAST(schema, type as NamedTypeNode)
    return isInputType(known) && isEndless(known, new Set())
  })
}

function isEndless(type: GraphQLInputType, around: ReadonlySet<GraphQLInputType>): boolean {
  const named = getNamedType(type)
  if (!isInputObjectType(named)) return false
  if (around.has(named)) return true
  return Object.values(named.getFields()).some((field) => isEndless(field.type, new Set([...around, named])))
}
