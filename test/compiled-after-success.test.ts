import { describe, expect, test } from '@jest/globals'
import { buildSchema, parse, type ExecutionArgs, type ExecutionResult } from 'graphql'

import { CompiledQueries } from '../src/http/compiled-queries.ts'

const schema = buildSchema('type Query { a: Query  b: Int }')
const often = 40

/** Executes a query by the plugin alone, as often as it takes, each time with the same result. */
async function compiledAfter(query: string, result: ExecutionResult): Promise<boolean> {
  const queries = new CompiledQueries()
  const { onExecute } = queries.plugin()
  const seen = { isCompiled: false }
  for (let time = 0; time < often; time += 1) {
    const hooks = await onExecute?.({
      args: { schema, document: parse(query), contextValue: { session: { kind: 'operator' }, hasFailed: false } },
      executeFn: () => result,
      setExecuteFn: () => (seen.isCompiled = true),
    } as unknown as Parameters<typeof onExecute>[0])
    const done = (hooks as { onExecuteDone?: (payload: unknown) => void } | undefined)?.onExecuteDone
    done?.({ result, args: {} as ExecutionArgs })
    // The compiler is loaded meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return seen.isCompiled
}

describe('a query is compiled', () => {
  test('once it went well often enough', async () => {
    expect(await compiledAfter('{ b }', { data: { b: 1 } })).toBe(true)
  })

  test('never while it is refused, e.g. as too broad', async () => {
    expect(await compiledAfter('{ b }', { data: null, errors: [] })).toBe(false)
  })

  test('never when it is so large that compiling would hold up everybody', async () => {
    const wide = `{ ${Array.from({ length: 600 }, () => 'b').join(' ')} }`
    expect(await compiledAfter(wide, { data: { b: 1 } })).toBe(false)
  })
})
