import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { cruise } from 'dependency-cruiser'
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config'

import rules from '../../.dependency-cruiser.cjs'

export const project = fileURLToPath(new URL('../..', import.meta.url))

/** The rules' names, in their order. */
export const ruleNames = (rules.forbidden ?? []).map(({ name }) => name ?? '')

/** An import that a rule of .dependency-cruiser.cjs refuses. */
export interface Violation {
  readonly rule: string
  /** `from → to`; a cycle ends where it began. */
  readonly edge: string
}

/** What the rules say about a project in a folder: its `src`, `bench`, `scripts` and `web/src`. */
export async function violations(folder = project): Promise<Violation[]> {
  const { forbidden = [], options } = rules
  const { output } = await cruise(
    ['src', 'bench', 'scripts', 'web/src'],
    { ...options, baseDir: folder, ruleSet: { forbidden }, validate: true },
    {},
    { tsConfig: extractTsConfig(join(project, 'tsconfig.json')) },
  )
  if (typeof output === 'string') throw new Error(`dependency-cruiser gave text instead of a result: ${output}`)
  return output.summary.violations.map(({ rule, from, to, cycle }) => ({
    rule: rule.name,
    edge: [from, ...(cycle?.map(({ name }) => name) ?? [to])].join(' → '),
  }))
}

/**
 * The same for a project with only these files, in a temporary folder. Its package.json declares the dependency
 * `declared` and the dev dependency `tool`; `stowaway` is installed beside them and not declared.
 */
export async function violationsOf(files: Record<string, string>): Promise<Violation[]> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-architecture-'))
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), `${content}\n`)
  }
  try {
    const manifest = { dependencies: { declared: '1.0.0' }, devDependencies: { tool: '1.0.0' } }
    write('package.json', JSON.stringify(manifest))
    for (const name of ['declared', 'tool', 'stowaway']) write(`node_modules/${name}/index.js`, 'export default 1')
    for (const [path, content] of Object.entries(files)) write(path, content)
    return await violations(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The table "from | may import" of docs/architecture.md: one entry per folder. */
export function documentedTable(folders: readonly string[]): Map<string, readonly string[]> {
  const rows = readFileSync(join(project, 'docs/architecture.md'), 'utf8').matchAll(/^\| ([a-z, ]+) \| (.+) \|$/gm)
  const table = new Map<string, readonly string[]>()
  for (const [, from = '', to = ''] of rows) {
    // "… and of db only generated types" does not make the whole of db importable.
    const targets = to.replace(/,? and of .*/, '').split(', ')
    for (const folder of from.split(', ').filter((name) => folders.includes(name))) {
      table.set(
        folder,
        targets.filter((target) => folders.includes(target)),
      )
    }
  }
  return table
}
