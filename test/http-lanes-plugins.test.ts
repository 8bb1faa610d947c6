import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { GraphQLError } from 'graphql'

import type { GraphqlPlugin } from '../src/http/graphql-plugin.ts'
import { posted, startLanes, type Lanes } from './support/lanes.ts'

type Hook = 'onParse' | 'onValidate' | 'onContextBuilding' | 'onExecute'
const hooks: readonly Hook[] = ['onParse', 'onValidate', 'onContextBuilding', 'onExecute']

describe('a plugin is called on the short way as it is on the usual one', () => {
  let calls: Hook[] = []
  /** The hook that refuses what is asked, as a limit would. */
  let refusing: Hook | null = null
  const called = (hook: Hook): GraphQLError | null => {
    calls.push(hook)
    return hook === refusing ? new GraphQLError(`not with ${hook}`, { extensions: { code: 'FORBIDDEN' } }) : null
  }
  const plugin: GraphqlPlugin = {
    onParse() {
      const error = called('onParse')
      if (error) throw error
    },
    onValidate({ setResult }) {
      const error = called('onValidate')
      if (error) setResult([error])
    },
    onContextBuilding() {
      const error = called('onContextBuilding')
      if (error) throw error
    },
    onExecute({ setResultAndStopExecution }) {
      const error = called('onExecute')
      if (error) setResultAndStopExecution({ errors: [error] })
    },
  }

  let lanes: Lanes
  beforeAll(async () => {
    lanes = await startLanes({ plugins: [plugin] })
  })
  afterAll(() => lanes.close())
  beforeEach(() => {
    calls = []
    refusing = null
    lanes.takeServed()
  })
  const ask = async (way: 'bySocket' | 'byFetch', query: string) => {
    calls = []
    const seen = await lanes[way]({ ...posted({ query }), token: lanes.world.admin })
    return { seen, calls }
  }

  test.each([
    ['a query', '{ viewer { __typename } }'],
    [
      'a mutation',
      'mutation { deleteCluster(input: { clusterId: "11111111-1111-4111-8111-111111111111" }) { __typename } }',
    ],
  ])('with %s, by each of its hooks', async (_name, query) => {
    expect((await ask('bySocket', query)).calls).toEqual(hooks)
    expect(lanes.takeServed()).toEqual({ short: 1, usual: 0 })
    expect((await ask('byFetch', query)).calls).toEqual(hooks)
    expect(lanes.takeServed()).toEqual({ short: 0, usual: 1 })
  })

  test.each(hooks)('and may refuse by %s, however often it is asked', async (hook) => {
    refusing = hook
    const query = `{ viewer { refused: __typename ${hook}: __typename } }`
    const { seen } = await ask('byFetch', query)
    expect(seen.body).toContain(`not with ${hook}`)
    for (let time = 0; time < 16; time += 1) expect((await ask('bySocket', query)).seen).toEqual(seen)
  })

  test('not with a query that is compiled: it was judged before, and the usual way asks again', async () => {
    const query = '{ viewer { again: __typename } }'
    let last = await ask('bySocket', query)
    // Ten times at least; the compiler has to be loaded, too.
    for (let time = 0; last.calls.length > 0 && time < 1000; time += 1) last = await ask('bySocket', query)
    expect(last.calls).toEqual([])
    expect(lanes.takeServed()).toMatchObject({ usual: 0 })
    expect(await ask('byFetch', query)).toEqual({ seen: last.seen, calls: hooks })
  })
})
