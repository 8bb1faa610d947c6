import { describe, expect, test } from '@jest/globals'
import { buildSchema, type DocumentNode, type ExecutionResult } from 'graphql'

import { useKnownDocuments } from '../../src/http/graphql/use-known-documents.ts'

const schema = buildSchema(`
  type Query { a: Query  b: Int  c(f: Filter): Int  d(o: Order): Int }
  input Filter { b: Int  not: Filter }
  input Order { by: Int }
`)
const often = 40

type Setter = (set: unknown) => void
type Execute = (args: object) => Promise<ExecutionResult>

/** What a hook sets when it is called. */
function setBy(hook: unknown, setter: string, given: object = {}): unknown {
  let set: unknown
  const keep: Setter = (value) => (set = value)
  ;(hook as (payload: object) => void)({ ...given, [setter]: keep })
  return set
}

/** Executes a query by the plugin alone, as often as it takes, each time with the same result of the interpreter. */
async function compiledAfter(query: string, result: ExecutionResult): Promise<boolean> {
  const { onParse, onExecute } = useKnownDocuments()
  let interpreted = 0
  const executeFn = () => {
    interpreted += 1
    return result
  }
  for (let time = 0; time < often; time += 1) {
    const parse = setBy(onParse, 'setParseFn') as (text: string) => DocumentNode
    const execute = setBy(onExecute, 'setExecuteFn', { executeFn }) as Execute
    await execute({ schema, document: parse(query), contextValue: { session: { kind: 'operator' } } })
    // The compiler is loaded meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return interpreted < often
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

  test('never when a variable may hold values of its own type, for which the compiler writes code without end', async () => {
    const start = performance.now()
    expect(await compiledAfter('query ($o: Order) { d(o: $o) }', { data: { d: 1 } })).toBe(true)
    const compiling = performance.now() - start
    expect(await compiledAfter('query ($f: Filter) { c(f: $f) }', { data: { c: 1 } })).toBe(false)
    expect(await compiledAfter('query ($f: [Filter!]) { b }', { data: { b: 1 } })).toBe(false)
    // The compiler gives up by itself when the stack is full, a hundred times as long after.
    expect(performance.now() - start).toBeLessThan(20 * compiling)
  })
})
