import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'graphql'

import { sizeOf } from '../../src/http/graphql/bounds/document-size.ts'
import { documentLimits } from '../../src/http/graphql/bounds/limits.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createWorld, type World } from '../support/world.ts'

/** Each fragment spreads the next one twice: the document doubles with each of them when it is written out. */
const bomb = (levels: number, leaf = '__typename') =>
  `query { viewer { ...F0 } } ${Array.from(
    { length: levels },
    (_, i) => `fragment F${i} on Viewer { __typename ${i + 1 < levels ? `...F${i + 1} ...F${i + 1}` : leaf} }`,
  ).join('\n')}`

const times = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ')

/** Often enough for a query that went well to be compiled. */
const often = 14

describe('a document that is small and asks for much', () => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp('sqlite')
    world = await createWorld(app, 'hostile', randomUUID())
  })
  afterAll(() => app.close())

  const documents: [string, string][] = [
    ['fragments that double 26 times', bomb(26)],
    ['fragments that double 200 times', bomb(200)],
    [
      'aliases in fragments',
      `{ viewer { ...A ...A } } fragment A on Viewer { ${times(16, (i) => `a${i}: __typename`)} }`,
    ],
    [
      'directives in fragments',
      `{ viewer { ...D ${'...D '.repeat(20)} } } fragment D on Viewer { __typename @include(if: true) }`,
    ],
    [
      'arguments in fragments',
      `{ ${'...N '.repeat(60)} } fragment N on Query { ${times(20, () => 'node(id: "0") { id }')} }`,
    ],
    [
      'a list of values in fragments',
      `{ ${'...N '.repeat(40)} } fragment N on Query { tenants(filter: { name: ["${'a", "'.repeat(50)}"] }) { totalCount } }`,
    ],
    [
      'levels in fragments',
      times(
        8,
        (i) => `fragment L${i} on Tenant { clusters { nodes { tenant { ${i < 7 ? `...L${i + 1}` : 'id'} } } } }`,
      ) + ' { tenants { nodes { ...L0 } } }',
    ],
  ]

  test.each(documents)('%s: refused each time, and never executed or compiled', async (_name, query) => {
    for (let time = 0; time < often; time += 1) {
      app.takeStatements()
      const { status, errors } = await app.answer(world.clusterToken, query)
      expect({ status, code: errors?.[0]?.extensions?.code }).toEqual({ status: 400, code: 'QUERY_TOO_COMPLEX' })
    }
  })

  test('fragments within themselves are refused as such', async () => {
    const circle = '{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }'
    const { errors } = await app.answer(world.admin, circle)
    expect(errors?.[0]?.message).toMatch(/within itself/)
  })

  test('fragments that are written out within the limits are answered', async () => {
    const { errors } = await app.answer(world.admin, bomb(5))
    expect(errors).toBeUndefined()
  })
})

describe('the size of a document', () => {
  const nodesOf = (text: string) => sizeOf(parse(text)).nodes

  test('is the one that it has with its fragments written out', () => {
    const fragments = '{ a { ...F ...F } } fragment F on T { b(x: 1) c @skip(if: false) }'
    const { aliases, directives, depth } = sizeOf(
      parse('{ a { b(x: 1) c @skip(if: false) b(x: 1) c @skip(if: false) } }'),
    )
    // Each spread, and the fragment that it stands for, counts as one more.
    expect(sizeOf(parse(fragments))).toEqual({
      nodes: nodesOf('{ a { b(x: 1) c @skip(if: false) b(x: 1) c @skip(if: false) } }') + 4,
      aliases,
      directives,
      depth,
    })
  })

  test('does not take longer than the document is long', () => {
    expect(nodesOf(bomb(200))).toBeGreaterThan(2 ** 200)
    expect(nodesOf(bomb(1200))).toBe(Infinity)
  })

  test('counts values, in arguments of fields and directives alike', () => {
    expect(nodesOf('{ a(x: [1, 2, 3]) }') - nodesOf('{ a(x: []) }')).toBe(3)
    expect(nodesOf('{ a @d(x: { y: 1, z: 2 }) }') - nodesOf('{ a @d(x: {}) }')).toBe(4)
    expect(documentLimits.nodes).toBeLessThanOrEqual(documentLimits.tokens)
  })
})
