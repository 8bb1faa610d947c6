import { getOperationAST, OperationTypeNode, type ExecutionArgs, type ExecutionResult } from 'graphql'
import type * as Jit from 'graphql-jit'
import { isAsyncIterable } from 'graphql-yoga'

import type { Session } from '../auth/session.ts'
import { WeightedCache } from '../base/weighted-cache.ts'
import { isSignedIn } from '../graphql/access.ts'
import { longestKept } from './document-cache.ts'
import { sizeOf } from './document-size.ts'
import type { GraphqlPlugin, ServerContext } from './graphql-plugin.ts'
import type { Operation } from './operation.ts'

/** A query that went well this often is compiled: a page or an agent asks the same one for as long as it lives. */
const timesBefore = 10

/**
 * Larger queries are interpreted, however often they come. Compiling takes 0.06 ms for each field and argument, fragments
 * written out, in one turn of the event loop.
 */
const largestCompiled = 500

/** What a compiled query takes for each of those (measured: 2.4 to 3.1 kB), and what all may take together. */
const bytesOfNode = 3200
const budget = 32 * 1024 * 1024
/** What is known of a query beside its text and its compiled form. */
const bytesOfEntry = 500

/** Loaded when the first query is worth it: half a megabyte of source that a start does without. */
let jit: typeof Jit | null = null
let loading: Promise<void> | null = null

/** What is known of one operation of a text. */
interface Known {
  /** How often it was executed without an error, and so within its limits. */
  successes: number
  /** Null where it cannot be compiled, absent while nobody tried. */
  compiled?: Compiled | null
}

interface Compiled {
  readonly query: Jit.CompiledQuery
  /** What a query costs depends on its variables; without any, it is known once it was executed. */
  readonly hasVariables: boolean
  isMeasured: boolean
}

type MeasuredContext = (isMeasured: boolean) => ServerContext

/** What became of a query: `result` without errors, or null; `wasTried` where it is compiled and has errors. */
interface Outcome {
  readonly result: ExecutionResult | null
  readonly wasTried: boolean
}

const notCompiled: Outcome = { result: null, wasTried: false }

/**
 * Executes queries that come again and again by functions made for them (graphql-jit): half the time for a page of fifty
 * rows. Only queries of signed-in callers are compiled, which takes milliseconds, and only those that were executed
 * before, without an error and within their limits. Where a compiled one does not go well, it is executed once more in
 * the usual way, so that errors are the same.
 */
export class CompiledQueries {
  readonly #known = new WeightedCache<Known>(budget)

  /** Compiles what is executed often, and executes it so from then on. */
  plugin(): GraphqlPlugin {
    return {
      onExecute: ({ args, executeFn, setExecuteFn }) => {
        const { session, hasFailed } = args.contextValue
        const key = isSignedIn(session) && !hasFailed ? keyOfQuery(args) : null
        if (key === null) return
        const known = this.#known.get(key) ?? { successes: 0 }
        const compiled = known.successes < timesBefore ? null : this.#compile(known, args)
        if (compiled) setExecuteFn((given: ExecutionArgs) => execute(compiled.query, given, executeFn as Execute))
        this.#keep(key, known, args)
        return {
          onExecuteDone: ({ result }: { result: ExecutionResult | AsyncIterable<unknown> }) => {
            if (!isAsyncIterable(result) && !result.errors) known.successes += 1
          },
        }
      },
    }
  }

  /**
   * Executes a query without its document having to be looked for, asked about and prepared again. It was parsed,
   * validated and admitted for a signed-in caller before: what plugins say to a document depends on nothing else, and what
   * depends on callers and variables (access, complexity) is asked by the fields themselves.
   */
  async run(
    { query: text, operationName, variables }: Operation,
    session: Session,
    contextOf: MeasuredContext,
  ): Promise<Outcome> {
    const compiled = isSignedIn(session) ? this.#known.get(keyOf(text, operationName))?.compiled : null
    if (!compiled) return notCompiled
    const { query, isMeasured, hasVariables } = compiled
    const result = await succeeded(query, { context: contextOf(isMeasured), variables })
    if (result && !hasVariables) compiled.isMeasured = true
    return { result, wasTried: true }
  }

  /** The compiled form of a query that has been executed often enough; null for what has none, or not yet. */
  #compile(known: Known, { schema, document, operationName }: ExecutionArgs): Compiled | null {
    if (known.compiled !== undefined) return known.compiled
    if (sizeOf(document).nodes > largestCompiled) return (known.compiled = null)
    if (!jit) {
      loading ??= import('graphql-jit').then(
        (loaded) => void (jit = loaded),
        () => undefined,
      )
      return null
    }
    const made = jit.compileQuery(schema, document, operationName ?? undefined)
    if (!jit.isCompiledQuery(made)) return (known.compiled = null)
    const hasVariables = (getOperationAST(document, operationName)?.variableDefinitions ?? []).length > 0
    return (known.compiled = { query: made, hasVariables, isMeasured: false })
  }

  #keep(key: string, known: Known, { document }: ExecutionArgs): void {
    const ofCompiled = known.compiled ? sizeOf(document).nodes * bytesOfNode : 0
    this.#known.set(key, known, bytesOfEntry + 2 * key.length + ofCompiled)
  }
}

/** A text may hold several operations; names of operations hold no line break. */
const keyOf = (text: string, operationName: string | null | undefined): string => `${operationName ?? ''}\n${text}`

/** What a query is known by; null for other operations, and for texts that are not kept. */
function keyOfQuery({ document, operationName }: ExecutionArgs): string | null {
  const text = document.loc?.source.body
  const isQuery = getOperationAST(document, operationName)?.operation === OperationTypeNode.QUERY
  return isQuery && text !== undefined && text.length <= longestKept ? keyOf(text, operationName) : null
}

type Execute = (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>

async function execute(query: Jit.CompiledQuery, args: ExecutionArgs, usually: Execute): Promise<ExecutionResult> {
  const { contextValue: context, variableValues: variables } = args
  return (await succeeded(query, { context, variables })) ?? usually(args)
}

interface Given {
  readonly context: unknown
  readonly variables: ExecutionArgs['variableValues']
}

/** The result of a query without errors; null where there are some. */
async function succeeded(query: Jit.CompiledQuery, { context, variables }: Given): Promise<ExecutionResult | null> {
  try {
    const result = await query.query(undefined, context, variables)
    return result.errors ? null : result
  } catch {
    // Whatever it is, the usual way says it.
    return null
  }
}
