import { getOperationAST, OperationTypeNode, type ExecutionArgs } from 'graphql'
import type * as Jit from 'graphql-jit'

import { sizeOf } from './document-size.ts'

/** A query that went well this often is compiled: a page or an agent asks the same one for as long as it lives. */
const timesBefore = 10

/**
 * Larger queries are interpreted, however often they come. Compiling takes 0.06 ms for each field and argument, fragments
 * written out, in one turn of the event loop.
 */
const largestCompiled = 500

/** What a compiled query takes for each of those (measured: 2.4 to 3.1 kB). */
const bytesOfNode = 3200

/** Loaded when the first query is worth it: half a megabyte of source that a start does without. */
let jit: typeof Jit | null = null
let loading: Promise<void> | null = null

/** A query of a document, as it was executed before. */
export interface CompiledOperation {
  /** What a query costs depends on its variables; without any, it is known once it was executed. */
  readonly hasVariables: boolean
  /** How often it was executed without an error, and so within its limits. */
  successes: number
  /** Whether it is known to be within its limits as it is. */
  isMeasured: boolean
  /** Null where it cannot be compiled, absent while nobody tried. */
  query?: Jit.CompiledQuery | null
}

/** Nothing is known yet of a query; null for other operations. */
export function queryOf({ document, operationName }: ExecutionArgs): CompiledOperation | null {
  const operation = getOperationAST(document, operationName)
  if (operation?.operation !== OperationTypeNode.QUERY) return null
  return { hasVariables: (operation.variableDefinitions ?? []).length > 0, successes: 0, isMeasured: false }
}

/**
 * Compiles an operation that was executed often enough (graphql-jit).
 * @returns the bytes that its compiled form takes; 0 where there is none, or not yet
 */
export function compileIfWorthIt(operation: CompiledOperation, args: ExecutionArgs): number {
  if (operation.query !== undefined || operation.successes < timesBefore) return 0
  const { schema, document, operationName } = args
  const { nodes } = sizeOf(document)
  if (nodes > largestCompiled) {
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
