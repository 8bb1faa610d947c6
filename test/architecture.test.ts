import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { describe, expect, test } from '@jest/globals'

import { documentedTable, project, ruleNames, violations, violationsOf } from './support/imports.ts'

const layers = ['base', 'db', 'pki', 'auth', 'ha', 'nebula', 'domain', 'graphql', 'http', 'agent']
const resources = ['tenants', 'clusters', 'cluster-state', 'replicas', 'nodes', 'config-bundles']

/** What the rules are about, small; the imports below are added to it. */
const world = {
  'src/main.ts': 'export const main = 1',
  'src/cli/index.ts': 'export const cli = 1',
  'src/config.ts': 'export type Config = 1\nexport const readConfig = 1',
  'src/auth/system.ts': 'export const system = 1',
  'src/db/client/client.ts': 'export type Client = 1\nexport const client = 1',
  'src/db/client/connection.ts': 'export const connect = 1',
  'src/db/reads/sql.ts': 'export type Sql = 1\nexport const sql = 1',
  'src/db/generated/sqlite/client.ts': 'export type Row = 1\nexport class PrismaClient {}',
  'test/support.ts': 'export const support = 1',
  'bench/value.ts': 'export const value = 1',
  'scripts/value.mjs': 'export const value = 1',
  'web/src/value.ts': 'export const value = 1',
  ...Object.fromEntries(layers.map((layer) => [`src/${layer}/value.ts`, 'export const value = 1'])),
}

/** For each rule beside the table: imports that it must refuse. */
const refused: Record<string, Record<string, string>> = {
  'raw-client-stays-below': {
    'src/domain/a.ts': "import { client } from '../db/client/client.ts'",
    'src/domain/b.ts': "import type { Client } from '../db/client/client.ts'",
    'src/http/c.ts': "import { connect } from '../db/client/connection.ts'",
  },
  'sql-stays-in-db': {
    'src/domain/a.ts': "import { sql } from '../db/reads/sql.ts'",
    'src/auth/b.ts': "import type { Sql } from '../db/reads/sql.ts'",
  },
  'generated-client-is-only-a-type-above': {
    'src/domain/a.ts': "import { PrismaClient } from '../db/generated/sqlite/client.ts'",
    'src/graphql/b.ts': "import { type Row, PrismaClient } from '../db/generated/sqlite/client.ts'",
    'src/graphql/c.ts': "export const later = () => import('../db/generated/sqlite/client.ts')",
    'src/graphql/d.ts': "export { PrismaClient } from '../db/generated/sqlite/client.ts'",
  },
  'config-is-handed-down': { 'src/domain/a.ts': "import type { Config } from '../config.ts'" },
  'config-is-only-a-type-in-http': { 'src/http/a.ts': "import { readConfig } from '../config.ts'" },
  'config-imports-only-base-auth': { 'src/config.ts': "import { value } from './domain/value.ts'" },
  'pipeline-knows-no-route': { 'src/http/pipeline/a.ts': "import { value } from '../value.ts'" },
  'system-session-is-made-at-the-entry': {
    'src/http/a.ts': "import { system } from '../auth/system.ts'",
    'src/auth/b.ts': "import { system } from './system.ts'",
  },
  'no-circular': {
    'src/base/a.ts': "import { b } from './b.ts'\nexport const a = 1",
    'src/base/b.ts': "import { a } from './a.ts'\nexport const b = 1",
    'src/base/c.ts': "import type { D } from './d.ts'\nexport type C = 1",
    'src/base/d.ts': "import type { C } from './c.ts'\nexport type D = 1",
    'bench/e.ts': "import type { F } from './f.ts'\nexport type E = 1",
    'bench/f.ts': "import type { E } from './e.ts'\nexport type F = 1",
    'scripts/g.mjs': "import { h } from './h.mjs'\nexport const g = h",
    'scripts/h.mjs': "import { g } from './g.mjs'\nexport const h = g",
  },
  'no-orphans': { 'src/base/a.ts': 'export const a = 1' },
  'no-dev-dependencies-in-src': { 'src/base/a.ts': "import tool from 'tool'" },
  'only-declared-packages': {
    'src/base/a.ts': "import stowaway from 'stowaway'",
    'bench/b.ts': "import stowaway from 'stowaway'",
    'scripts/c.mjs': "import stowaway from 'stowaway'",
  },
  'only-what-resolves': {
    'src/base/a.ts': "import { nothing } from './nothing.ts'",
    'bench/b.ts': "import { nothing } from './nothing.ts'",
    'scripts/c.mjs': "import { nothing } from './nothing.mjs'",
  },
  'src-imports-only-src': {
    'src/base/a.ts': "import { support } from '../../test/support.ts'",
    'src/cli/b.ts': "import { value } from '../../bench/value.ts'",
    'src/main.ts': "import { value } from '../scripts/value.mjs'",
  },
  'bench-imports-only-itself-src-test': { 'bench/a.ts': "import { value } from '../scripts/value.mjs'" },
  'peers-import-only-peers': { 'bench/peers/a.mjs': "import { value } from '../value.ts'" },
  'scripts-import-only-scripts': {
    'scripts/a.mjs': "import { value } from '../src/base/value.ts'",
    'scripts/b.mjs': "import { value } from '../bench/value.ts'",
    'scripts/c.mjs': "import { support } from '../test/support.ts'",
  },
  'web-imports-only-web': { 'web/src/a.ts': "import { value } from '../../src/base/value.ts'" },
  'nobody-imports-web': { 'src/base/a.ts': "import { value } from '../../web/src/value.ts'" },
}

/** What the same rules must let pass. */
const meant = {
  'src/domain/a.ts': "import type { Row } from '../db/generated/sqlite/client.ts'",
  'src/graphql/b.ts': "import { type Row } from '../db/generated/sqlite/client.ts'",
  'src/http/c.ts': "import type { Config } from '../config.ts'",
  'src/db/h.ts': "import { sql } from './reads/sql.ts'",
  'src/auth/d.ts': "import { client } from '../db/client/client.ts'",
  'src/ha/e.ts': "import { PrismaClient } from '../db/generated/sqlite/client.ts'",
  'src/base/f.ts': "import declared from 'declared'\nimport { dirname, join } from 'node:path'",
  'bench/g.ts': "import tool from 'tool'\nimport '../src/db/client/client.ts'\nimport '../test/support.ts'",
  'bench/peers/h.mjs': "import stranger from 'stranger'",
  'scripts/i.mjs': "import tool from 'tool'\nimport './value.mjs'",
  'src/main.ts':
    "import './config.ts'\nimport './auth/system.ts'\nimport './db/client/client.ts'\nimport './db/client/connection.ts'",
}

describe('the imports of src, bench, scripts and web', () => {
  test('keep to the rules', async () => {
    expect(await violations()).toEqual([])
  })

  test('are ruled by the table of docs/architecture.md: what it allows passes, all else is refused', async () => {
    const table = documentedTable(layers)
    expect([...table.keys()].sort()).toEqual([...layers].sort())
    // Nothing imports the importing files, so that the tree has no cycles.
    const files: Record<string, string> = { ...world }
    const expected: string[] = []
    for (const from of [...layers, 'cli']) {
      for (const to of [...layers, 'main', 'cli']) {
        if (from === to) continue
        const target = to === 'main' ? 'main.ts' : to === 'cli' ? 'cli/index.ts' : `${to}/value.ts`
        files[`src/${from}/to-${to}.ts`] = `import '../${target}'`
        const allowed = from === 'cli' || table.get(from)?.includes(to)
        if (!allowed) expected.push(`src/${from}/to-${to}.ts → src/${target}`)
      }
    }
    files['src/main.ts'] = layers.map((layer) => `import './${layer}/value.ts'`).join('\n')
    const broken = (await violationsOf(files)).filter(({ rule }) => rule.includes('-imports-only-'))
    expect(broken.map(({ edge }) => edge).sort()).toEqual(expected.sort())
  })
})

describe('the further rules', () => {
  test.each(Object.keys(refused))('%s', async (rule) => {
    const files = refused[rule] ?? {}
    const broken = (await violationsOf({ ...world, ...files })).filter((violation) => violation.rule === rule)
    const passed = Object.keys(files).filter((file) => !broken.some(({ edge }) => edge.split(' → ').includes(file)))
    expect(passed).toEqual([])
  })

  test('let pass what is meant', async () => {
    const broken = await violationsOf({ ...world, ...meant })
    expect(broken.filter(({ edge }) => Object.keys(meant).some((file) => edge.startsWith(`${file} →`)))).toEqual([])
  })

  test('are all shown to refuse something here', () => {
    const further = ruleNames.filter((name) => !layers.some((layer) => name.startsWith(`${layer}-imports-only-`)))
    expect(Object.keys(refused).sort()).toEqual(further.sort())
  })
})

describe('the files', () => {
  const files = sourceFiles('src')

  test('stand in the folders of the table, so that each has a rule', () => {
    const places = new Set(files.map((file) => file.split('/')[1] ?? ''))
    expect(
      [...places].filter((place) => ![...layers, 'cli', 'config.ts', 'main.ts', 'sweeps.ts'].includes(place)),
    ).toEqual([])
  })

  test.each(['domain', 'graphql'])('of %s are named after the resources', (layer) => {
    const own = files.filter((file) => file.startsWith(`src/${layer}/`))
    expect(resources.filter((name) => !own.some((file) => file.endsWith(`/${name}.ts`)))).toEqual([])
  })

  test('stand in rooms of at most fifteen', () => {
    const rooms = new Map<string, number>()
    for (const file of files) rooms.set(dirname(file), (rooms.get(dirname(file)) ?? 0) + 1)
    expect([...rooms].filter(([, count]) => count > 15)).toEqual([])
  })

  test('have at most 300 lines, those of tests and scripts too', () => {
    const long = [...files, ...sourceFiles('test'), ...sourceFiles('scripts')]
      .map((file) => ({ file, lines: readFileSync(join(project, file), 'utf8').trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 300)
    expect(long).toEqual([])
  })
})

/** Files that people wrote, as paths from the project's folder. */
function sourceFiles(folder: string): string[] {
  return readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter((file) => /\.(ts|mjs)$/.test(file) && !file.startsWith('src/db/generated/'))
}
