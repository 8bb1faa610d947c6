import { getOperationAST, OperationTypeNode, type DocumentNode, type ExecutionResult } from 'graphql'
import type { ExecutionArgs } from 'graphql'
import type * as Jit from 'graphql-jit'

import type { Session } from '../auth/session.ts'
import { documentCache } from './document-cache.ts'
import type { GraphqlPlugin, ServerContext } from './graphql-plugin.ts'
import type { Operation } from './operation.ts'

/** A query that was asked this often is compiled: a page or an agent asks the same one for as long as it lives. */
const timesBefore = 10

/** Loaded when the first query is worth it: half a megabyte of source that a start does without. */
let jit: typeof Jit | null = null
let loading: Promise<void> | null = null

interface Known {
  times: number
  /** By the operation's name; null where it cannot be compiled. */
  readonly compiled: Map<string | null, Compiled | null>
}

interface Compiled {
  readonly query: Jit.CompiledQuery
  /** What a query costs hangs on its variables; without any, it is known once it was executed. */
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
 * rows. Only signed-in callers have theirs compiled, which takes milliseconds, and only what changes nothing: whatever
 * does not go well is executed once more in the usual way, so that errors are the same.
 */
export class CompiledQueries {
  readonly #known = new WeakMap<DocumentNode, Known>()
  readonly #byText = documentCache<Known>()

  /** Compiles what is executed often, and executes it so from then on. */
  plugin(): GraphqlPlugin {
    return {
      onExecute: ({ args, executeFn, setExecuteFn }) => {
        const { session, hasFailed } = args.contextValue
        if (session.kind === 'anonymous' || hasFailed) return
        const query = this.#compiledFor(args)
        if (query) setExecuteFn((given: ExecutionArgs) => execute(query, given, executeFn as Execute))
      },
    }
  }

  /**
   * Executes a query without its document having to be looked for, asked about and prepared again. It was parsed,
   * validated and admitted for a signed-in caller before: what plugins say to a document hangs on nothing else, and what
   * hangs on callers and variables (access, complexity) is asked by the fields themselves.
   */
  async run(
    { query: text, operationName, variables }: Operation,
    { kind }: Session,
    contextOf: MeasuredContext,
  ): Promise<Outcome> {
    const compiled = kind === 'anonymous' ? null : this.#byText.get(text)?.compiled.get(operationName ?? null)
    if (!compiled) return notCompiled
    const { query, isMeasured, hasVariables } = compiled
    const result = await succeeded(query, { context: contextOf(isMeasured), variables })
    if (result && !hasVariables) compiled.isMeasured = true
    return { result, wasTried: true }
  }

  /** The function of a query that has been asked for often enough; null for all others. */
  #compiledFor({ schema, document, operationName }: ExecutionArgs): Jit.CompiledQuery | null {
    const name = operationName ?? null
    const known: Known = this.#known.get(document) ?? { times: 0, compiled: new Map() }
    this.#known.set(document, known)
    known.times += 1
    if (known.times <= timesBefore) return null
    const found = known.compiled.get(name)
    if (found) this.#keep(document, known)
    if (found !== undefined) return found?.query ?? null
    if (!jit) {
      loading ??= import('graphql-jit').then(
        (loaded) => void (jit = loaded),
        () => undefined,
      )
      return null
    }
    const operation = getOperationAST(document, name)
    const isQuery = operation?.operation === OperationTypeNode.QUERY
    const made = isQuery ? jit.compileQuery(schema, document, name ?? undefined) : null
    if (!made || !jit.isCompiledQuery(made)) {
      known.compiled.set(name, null)
      return null
    }
    const hasVariables = (operation?.variableDefinitions ?? []).length > 0
    known.compiled.set(name, { query: made, hasVariables, isMeasured: false })
    this.#keep(document, known)
    return made
  }

  /** What is pushed out comes in again as soon as it is executed as others are. */
  #keep({ loc }: DocumentNode, known: Known): void {
    if (loc) this.#byText.set(loc.source.body, known)
  }
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
