import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { GraphQLError, type ExecutionArgs } from 'graphql'

import type { GraphqlPlugin } from '../../src/http/graphql/graphql-plugin.ts'
import { posted, startServed, type Served } from '../support/socket.ts'

type Hook = 'onParse' | 'onValidate' | 'onContextBuilding' | 'onExecute'
const hooks: readonly Hook[] = ['onParse', 'onValidate', 'onContextBuilding', 'onExecute']

/** More often than it takes for a query to be compiled, once its compiler is loaded. */
const often = 40

describe('a plugin is called on each request by a socket', () => {
  let calls: Hook[] = []
  /** The hook that refuses what is asked, as a limit would. */
  let refusing: Hook | null = null
  let executions = 0
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
    onExecute({ executeFn, setExecuteFn, setResultAndStopExecution }) {
      const error = called('onExecute')
      if (error) setResultAndStopExecution({ errors: [error] })
      setExecuteFn((args: ExecutionArgs) => {
        executions += 1
        return executeFn(args) as unknown
      })
    },
  }

  let served: Served
  beforeAll(async () => {
    served = await startServed({ plugins: [plugin] })
  })
  afterAll(() => served.close())
  beforeEach(() => {
    refusing = null
  })
  const ask = async (query: string, operationName?: string) => {
    calls = []
    executions = 0
    const { body } = await served.bySocket({ ...posted({ query, operationName }), token: served.world.admin })
    return { body, calls, executions }
  }

  test.each([
    ['a query', '{ viewer { __typename } }'],
    ['a query with introspection', '{ __schema { queryType { name } } }'],
    [
      'a mutation',
      'mutation { deleteCluster(input: { clusterId: "11111111-1111-4111-8111-111111111111" }) { __typename } }',
    ],
  ])('with %s, by each of its hooks, and what it puts around the execution holds', async (_name, query) => {
    // Parsed at first, then known, then compiled: of queries there is nothing left of the document's own way.
    for (let time = 0; time < often; time += 1) {
      expect(await ask(query)).toMatchObject({ calls: hooks, executions: 1 })
    }
  })

  test.each(hooks)('and may refuse by %s, however often that went well before', async (hook) => {
    const query = `{ viewer { refused: __typename ${hook}: __typename } }`
    for (let time = 0; time < often; time += 1) expect((await ask(query)).body).not.toContain('not with')
    refusing = hook
    expect((await ask(query)).body).toContain(`not with ${hook}`)
    refusing = null
    expect((await ask(query)).body).not.toContain('not with')
  })

  test('and by a rule of validation that it adds for some requests alone', async () => {
    const query = '{ viewer { ruled: __typename } }'
    const rule = (context: { reportError: (error: GraphQLError) => void }) => ({
      Field() {
        context.reportError(new GraphQLError('not today'))
      },
    })
    let isStrict = false
    const strictAtTimes: GraphqlPlugin = {
      onValidate({ addValidationRule }) {
        if (isStrict) addValidationRule(rule)
      },
    }
    const strict = await startServed({ plugins: [strictAtTimes] })
    try {
      const bodies: string[] = []
      for (const now of [false, true, true, false]) {
        isStrict = now
        bodies.push((await strict.bySocket({ ...posted({ query }), token: strict.world.admin })).body)
      }
      expect(bodies.map((body) => body.includes('not today'))).toEqual([false, true, true, false])
    } finally {
      await strict.close()
    }
  })
})
