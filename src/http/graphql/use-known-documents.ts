import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLError, GraphQLSchema, ValidationRule } from 'graphql'
import { isAsyncIterable } from 'graphql-yoga'

import { isSignedIn } from '../../graphql/kit/access.ts'
import { compileIfWorthIt, queryOf } from './compiled-operations.ts'
import { KnownDocuments } from './documents.ts'
import type { GraphqlPlugin, ServerContext } from './graphql-plugin.ts'
import { parseWithinLimits } from './bounds/limits.ts'

type Rules = readonly ValidationRule[]
type Validate = (schema: GraphQLSchema, document: DocumentNode, rules: Rules) => readonly GraphQLError[]
type Execute = (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>
type Asked = ExecutionArgs & { readonly contextValue: ServerContext }

/**
 * Parses, validates and executes documents, and caches what it learns of each: a page or an agent sends the same
 * document again and again. It is the innermost plugin, and sets functions instead of results, so that all other
 * plugins are still called with every request and can add to these functions or wrap them.
 */
export function useKnownDocuments(): GraphqlPlugin {
  const documents = new KnownDocuments()
  return {
    onParse({ setParseFn }) {
      setParseFn((text: string) => documents.parsed(text, parseWithinLimits))
    },
    onValidate({ validateFn, setValidationFn }) {
      setValidationFn((schema: GraphQLSchema, document: DocumentNode, rules: Rules = []) => {
        const known = documents.of(document)
        if (known?.verdict && areSame(known.verdict.rules, rules)) return known.verdict.errors
        const errors = (validateFn as Validate)(schema, document, rules)
        if (known) known.verdict = { rules, errors }
        return errors
      })
    },
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args: ExecutionArgs) => execute(documents, args as Asked, executeFn as Execute))
    },
  }
}

const areSame = (some: readonly unknown[], others: readonly unknown[]): boolean =>
  some.length === others.length && some.every((one, at) => one === others[at])

/**
 * Executes frequent queries with functions compiled for them, which takes half the time for a page of fifty rows.
 * Compiling takes milliseconds, and is therefore only done for signed-in callers, and for queries that have been
 * executed without an error and within their limits. When a compiled query fails, the interpreter executes it again, so
 * that errors are the same.
 */
async function execute(documents: KnownDocuments, args: Asked, interpret: Execute): Promise<ExecutionResult> {
  const known = isSignedIn(args.contextValue.session) ? documents.of(args.document) : undefined
  if (!known) return interpret(args)
  const name = args.operationName ?? ''
  const operation = known.operations.get(name) ?? queryOf(args)
  if (!operation) return interpret(args)
  known.operations.set(name, operation)
  const bytes = compileIfWorthIt(operation, args)
  if (bytes > 0) {
    known.compiledBytes += bytes
    documents.weigh(known)
  }
  const { query, hasVariables, isMeasured } = operation
  const { contextValue, variableValues } = args
  if (query) {
    try {
      contextValue.isMeasured = isMeasured
      const result = await query.query(undefined, contextValue, variableValues)
      if (!result.errors) {
        operation.isMeasured = !hasVariables
        return result
      }
    } catch {
      // The interpreter will report the same failure.
    }
    contextValue.isMeasured = false
  }
  const result = await interpret(args)
  if (!isAsyncIterable(result) && !result.errors) operation.successes += 1
  return result
}
