import { readFileSync } from 'node:fs'

import { describe, expect, test } from '@jest/globals'
import { buildSchema } from 'graphql'

import { schema } from '../../src/graphql/schema.ts'
import { unannounced, unexplained } from '../support/schema-changes.ts'

const page = readFileSync('docs/api-changes.md', 'utf8')
/** The page's sections about releases, by heading: the newest first. */
const releases = page
  .split(/^## /m)
  .slice(2)
  .map((section): [string, string] => [section.split('\n', 1)[0] ?? '', section])

test('docs/api-changes.md names every change since the last release that can matter to a program', async () => {
  const released = buildSchema(readFileSync('schema.released.graphql', 'utf8'))
  const [[, notes] = ['', '']] = releases
  const today = new Date().toISOString().slice(0, 10)
  expect(await unannounced(released, schema, notes, today)).toEqual([])
})

test('it has what is not released, and before that the version that is', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const headings = releases.map(([heading]) => heading)
  expect(headings.slice(0, 2)).toEqual(['Unreleased', expect.stringMatching(`^${version} \\(\\d{4}-\\d\\d-\\d\\d\\)$`)])
})

test('every deprecation says what to use instead, and until when the old one stays', () => {
  expect(unexplained(schema)).toEqual([])
})

describe('the comparison', () => {
  const old = buildSchema(`
    type Query { node(id: ID): Node, kind: Kind, gone: Int @deprecated(reason: "Use \`Query.node\` instead; it stays until 2027-06-30.") }
    type Node { name: String! }
    type Edge { name: String! }
    union Found = Node
    enum Kind { A }`)
  const after = (text: string, notes = '', today = '2026-12-01') => unannounced(old, buildSchema(text), notes, today)
  const gone = 'gone: Int @deprecated(reason: "Use `Query.node` instead; it stays until 2027-06-30.")'
  const rest = 'type Edge { name: String! } union Found = Node enum Kind { A }'

  test('lets what is compatible pass unnamed, optional inputs too', async () => {
    expect(
      await after(`type Query { node(id: ID, as: Int): Node, kind: Kind, more: Int, ${gone} }
        type Node { name: String!, more: Int } ${rest}`),
    ).toEqual([])
  })

  test('demands that a breaking change is named by its path, under its heading', async () => {
    const text = `type Query { node(id: ID): Node, kind: Kind, ${gone} } type Node { name: String } ${rest}`
    expect(await after(text)).toEqual([expect.stringContaining('breaking change that the changelog does not name')])
    expect(await after(text, '### Compatible\n\n- `Node.name`\n')).toHaveLength(1)
    expect(await after(text, '### Breaking\n\n- `Node`\n')).toHaveLength(1)
    expect(await after(text, '### Breaking\n\n- `Node.name` may be null.\n\n### Compatible\n')).toEqual([])
  })

  test('demands that a new value of an enum, or member of a union, is named', async () => {
    const text = `type Query { node(id: ID): Node, kind: Kind, ${gone} } type Node { name: String! }
      type Edge { name: String! } union Found = Node | Edge enum Kind { A B }`
    expect(await after(text)).toHaveLength(2)
    expect(await after(text, '### To expect\n\n- `Kind.B`, and `Found` may be an `Edge`.\n')).toEqual([])
  })

  test('keeps what is deprecated until the day that was promised', async () => {
    const text = `type Query { node(id: ID): Node, kind: Kind } type Node { name: String! } ${rest}`
    const notes = '### Breaking\n\n- `Query.gone` is gone.\n'
    expect(await after(text, notes)).toEqual([expect.stringContaining('Query.gone is to stay until 2027-06-30')])
    expect(await after(text, '', '2027-07-01')).toEqual([expect.stringContaining('removal that the changelog')])
    expect(await after(text, notes, '2027-07-01')).toEqual([])
  })

  test.each([
    ['no reason', '@deprecated', ['Query.a: No longer supported']],
    ['no day', '@deprecated(reason: "Use `Query.b` instead.")', ['Query.a: Use `Query.b` instead.']],
    [
      'a successor that is not there',
      '@deprecated(reason: "Use `Query.c` instead; it stays until 2027-06-30.")',
      ['Query.a: Use `Query.c` instead; it stays until 2027-06-30.'],
    ],
    ['all of it', '@deprecated(reason: "Use `Query.b` instead; it stays until 2027-06-30.")', []],
  ])('of a deprecation with %s', (_what, directive, found) => {
    expect(unexplained(buildSchema(`type Query { a: Int ${directive} b: Int }`))).toEqual(found)
  })
})
