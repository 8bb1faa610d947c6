import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isObjectType } from 'graphql'

import { tenantRoles } from '../../src/auth/session.ts'
import { schema } from '../../src/graphql/schema.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { send } from '../support/multipart.ts'
import { argumentsFor, operationFor, rootFields, selectAll } from '../support/schema-walk.ts'
import { createWorld, newNode, type World } from '../support/world.ts'
import { seedQueries } from './seed-queries.ts'

const page = readFileSync('docs/operations.md', 'utf8')
const rowsOf = (section: string) =>
  (page.split(`## ${section}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (query|GraphQL|request) \|/.test(line))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    )

const table = rowsOf('The 58 queries').map(([query = '', place = '', field = '', who = '']) => ({
  query,
  place,
  field,
  who,
}))

test('the table has each of the 58 queries once', () => {
  expect(seedQueries).toHaveLength(58)
  expect(table.map(({ query }) => query).sort()).toEqual([...seedQueries].sort())
})

test.each(table)('$query is the function that the table names, and its comment says so', ({ query, place }) => {
  const [, file = '', name = ''] = /^`([^`]+)` (\w+)$/.exec(place) ?? []
  const source = readFileSync(`src/domain/${file}`, 'utf8')
  const declaration = new RegExp(`^export (?:async function|function|const) ${name}\\b`, 'm').exec(source)
  if (!declaration) throw new Error(`src/domain/${file} exports no ${name}`)
  const before = source.slice(0, declaration.index).trimEnd()
  expect(before.endsWith('*/') && before.slice(before.lastIndexOf('/**'))).toMatch(new RegExp(`\\b${query}\\b`))
})

test.each(table)('$query is reached through $field', ({ field }) => {
  const [type = '', name = ''] = field.replaceAll('`', '').split('.')
  const parent = schema.getType(type)
  expect(isObjectType(parent) && name in parent.getFields()).toBe(true)
})

/** Who the page lets through, by root field: rows that share a field agree. */
const documented = new Map(
  [
    ...table.map(({ field, who }) => [field, who] as const),
    ...rowsOf('Further fields').map(([field = '', , who = '']) => [field, who] as const),
  ]
    .filter(([field]) => /^`(Query|Mutation|Subscription)\./.test(field))
    .map(([field, who]) => [field.replaceAll('`', ''), who.split(', ')] as const),
)

const rootType = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const

test('every root field is on the page', () => {
  const fields = rootFields(schema).map(({ kind, field }) => `${rootType[kind]}.${field.name}`)
  expect([...documented.keys()].sort()).toEqual(fields.sort())
})

describe('who is let through', () => {
  let app: TestApp
  let world: World
  let others: Readonly<Record<'editor' | 'auditor' | 'blocked node', string>>
  beforeAll(async () => {
    app = await startApp('sqlite')
    world = await createWorld(app, 'world', randomUUID())
    const blocked = await newNode(app, world)
    await app.database.client.node.update({ where: { id: blocked.id }, data: { blockedAt: new Date() } })
    others = {
      editor: await app.tenantToken(world.tenantId, 'editor'),
      auditor: await app.tenantToken(world.tenantId, 'auditor'),
      'blocked node': blocked.token,
    }
  })
  afterAll(() => app.close())

  const credential = (caller: string): string | null =>
    ({
      operator: app.operator,
      admin: world.admin,
      viewer: world.viewer,
      ...others,
      'admin node': world.adminNodeToken,
      node: world.nodeToken,
      'own node': world.nodeToken,
      enrolling: world.clusterToken,
    })[caller] ?? null

  const callers = ['operator', ...tenantRoles, 'admin node', 'node', 'own node', 'blocked node', 'enrolling', 'nobody']

  test.each(
    rootFields(schema).flatMap(({ kind, field }) =>
      callers.map((caller) => [field.name, caller, kind, field] as const),
    ),
  )('%s as %s', async (name, caller, kind, field) => {
    const allowed = documented.get(`${rootType[kind]}.${name}`) ?? []
    // Ids that do not exist, but for the node itself: what is asked here is who is let through, not what comes of it.
    const args = argumentsFor(field, (place) =>
      caller === 'own node' && place.endsWith('nodeId') ? world.nodeId : randomUUID(),
    )
    const operation = operationFor(
      kind,
      field,
      args,
      selectAll(field.type, 0, () => randomUUID()),
    )
    const { status, text } = await send(app, credential(caller), operation, args)
    const expected = allowed.includes(caller) || (caller === 'own node' && allowed.includes('node'))
    if (caller === 'nobody') {
      expect({ status, unauthenticated: text.includes('"UNAUTHENTICATED"') }).toEqual({
        status: 401,
        unauthenticated: true,
      })
    } else {
      expect({ forbidden: text.includes('"FORBIDDEN"'), text }).toEqual({
        forbidden: !expected,
        text: expect.not.stringMatching(/GRAPHQL_(PARSE|VALIDATION)_FAILED|QUERY_TOO/),
      })
    }
  })
})
