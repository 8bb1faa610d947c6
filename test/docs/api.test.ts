import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from '@jest/globals'

import { describeWithNebula } from '../support/nebula.ts'
import { newSecret, serve, type Served } from '../support/served.ts'
import { runSessions } from '../support/sessions.ts'

interface Block {
  /** The nearest heading above it. */
  readonly heading: string
  readonly kind: string
  readonly text: string
}

/** The blocks of a page, in order. */
function blocksOf(page: string): Block[] {
  const found = page.matchAll(/^## (?<heading>.*)$|^```(?<kind>\w+)\n(?<text>[\s\S]*?)^```$/gm)
  let heading = ''
  return [...found].flatMap(({ groups = {} }) => {
    if (groups['heading'] !== undefined) heading = groups['heading']
    const { kind, text } = groups
    return kind === undefined || text === undefined ? [] : [{ heading, kind, text }]
  })
}

const blocks = blocksOf(readFileSync('docs/api.md', 'utf8'))
const sessions = blocks.flatMap((block, index) =>
  block.kind === 'sh' ? [{ ...block, shown: blocks[index + 1] ?? { heading: '', kind: 'sh', text: '' } }] : [],
)

/** The page shows an answer in part, and … for what differs each time. */
const expected = (shown: unknown): unknown => {
  if (shown === '…') return expect.anything()
  if (Array.isArray(shown)) return shown.map(expected)
  if (typeof shown !== 'object' || shown === null) return shown
  const entries = Object.entries(shown).map(([key, value]) => [key, expected(value)])
  return expect.objectContaining(Object.fromEntries(entries) as Record<string, unknown>)
}

describeWithNebula('docs/api.md', () => {
  let server: Served
  let folder: string
  /** What each session wrote. */
  let outputs: readonly string[]

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orrery-docs-'))
    const environment = { DATABASE_URL: `file:${join(folder, 'orrery.db')}`, ORRERY_SECRET: newSecret() }
    server = await serve({ database: environment.DATABASE_URL, secret: environment.ORRERY_SECRET })
    outputs = await runSessions(folder, sessions, { ...environment, ORRERY: server.url })
  })
  afterAll(async () => {
    server.kill('SIGTERM')
    await server.ended
    await rm(folder, { recursive: true })
  })

  test('is read whole', () => {
    expect(blocks.length).toBeGreaterThan(20)
    expect(sessions.map(({ shown }) => shown.kind)).not.toContain('sh')
  })

  test.each(sessions.map((session, index) => ({ ...session, index })))('$heading ($index)', ({ shown, index }) => {
    const output = outputs[index] ?? ''
    if (shown.kind === 'json') expect(JSON.parse(output)).toEqual(expected(JSON.parse(shown.text)))
    else expect(output.split('\n')).toEqual(expect.arrayContaining(shown.text.trim().split('\n')))
  })
})
