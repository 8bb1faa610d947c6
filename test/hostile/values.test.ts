import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { schema } from '../../src/graphql/schema.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { attacksOnEach, placed } from '../support/hostile-values.ts'
import { send } from '../support/multipart.ts'
import { argumentsFor } from '../support/schema-walk.ts'
import { operationAlong, waysToArguments, type Way } from '../support/schema-ways.ts'
import { createWorld, type World } from '../support/world.ts'

const missing = () => randomUUID()
const ways = waysToArguments(schema)
const attacks = attacksOnEach(ways.map(({ field }) => field))

/** What no value may make of an answer. */
const isFault = ({ status, text }: { status: number; text: string }) =>
  status >= 500 || text.includes('INTERNAL_SERVER_ERROR') || text.includes('GRAPHQL_VALIDATION_FAILED')

test('the walk goes to edges and to fields below mutations, too', () => {
  expect(ways.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['Cluster.nodes', 'Tenant.clusters', 'ConfigBundle.diff', 'ChangePlan.files', 'createNode']),
  )
})

describe.each(engines)('values that no database takes, on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'hostile', randomUUID())
  })
  afterAll(() => app.close())

  /** The id that a field's argument wants, so that what is asked for exists; but the node stays, and is not blocked. */
  const ownIds = (field: string) => (place: string) => {
    if (/\b(block|delete)Nodes?\./.test(place)) return randomUUID()
    const of = /tenant/i.test(place) ? 'tenant' : /cluster/i.test(place) ? 'cluster' : /node/i.test(place) ? 'node' : ''
    switch (of || field) {
      case 'tenant':
        return world.tenantId
      case 'cluster':
        return world.clusterId
      case 'node':
        return world.nodeId
      default:
        return randomUUID()
    }
  }

  /** The callers who may ask for it at all, found by asking for what does not exist. */
  async function callersOf(way: Way): Promise<string[]> {
    const all = [app.operator, world.admin, world.nodeToken, world.clusterToken]
    const { query, variables } = operationAlong(way, argumentsFor(way.field, missing), missing)
    const answers = await Promise.all(all.map((caller) => send(app, caller, query, variables)))
    return all.filter((_, index) => !answers[index]?.text.includes('FORBIDDEN'))
  }

  test.each(ways.map((way, index) => [way.kind, way.name, way, attacks[index] ?? []] as const))(
    '%s %s refuses them or takes them, and never fails',
    async (_kind, _name, way, given) => {
      const callers = await callersOf(way)
      expect(callers).not.toEqual([])
      const idFor = ownIds(way.field.name)
      const faults: string[] = []
      expect(given).not.toEqual([])
      for (const attack of given) {
        const args = placed(argumentsFor(way.field, idFor), attack) as Record<string, unknown>
        const { query, variables } = operationAlong(way, args, idFor)
        const answer = await send(app, callers[0] ?? null, query, variables)
        if (isFault(answer)) faults.push(`${attack.path.join('.')}: ${attack.name}: ${answer.text.slice(0, 300)}`)
      }
      expect(faults).toEqual([])
    },
  )
})
