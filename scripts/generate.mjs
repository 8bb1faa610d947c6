// Generates the Prisma clients of both engines from the one schema, the types Pothos reads, the names of the columns, and
// the types of the admin page's documents. Does nothing when the schema and the generators are those of the last run.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { generated, needsDevDependencies, root, runIfProgram } from './project.mjs'
import { generateWebTypes } from './web-types.mjs'

const stamp = `${generated}.stamp`
const sqlite = `${root}prisma/schema.prisma`
const postgresql = `${generated}postgresql-schema/schema.prisma`

/** Both clients, at the same time; rejects with the output of `prisma generate` when the schema is wrong. */
export async function generate() {
  needsDevDependencies('prisma')
  await generateWebTypes()
  const schema = readFileSync(sqlite, 'utf8')
  const fingerprint = createHash('sha256').update(schema)
  for (const path of [
    'scripts/generate.mjs',
    'node_modules/prisma/package.json',
    'node_modules/@pothos/plugin-prisma/package.json',
  ]) {
    fingerprint.update(readFileSync(`${root}${path}`))
  }
  const wanted = fingerprint.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return

  rmSync(stamp, { force: true })
  mkdirSync(`${generated}postgresql-schema`, { recursive: true })
  writeFileSync(postgresql, forPostgresql(schema))
  writeFileSync(`${generated}columns.ts`, columnsModule(schema))
  await Promise.all([runPrisma(sqlite), runPrisma(postgresql)])
  writeFileSync(stamp, wanted)
}

/** @param {string} schema the schema of SQLite; its models are both engines' */
function forPostgresql(schema) {
  return schema
    .replace(/generator pothos \{[^}]*\}\n/, '')
    .replace('provider = "sqlite"', 'provider = "postgresql"')
    .replace('../src/db/generated/sqlite', '../postgresql')
}

/**
 * The columns of each table, by field, for SQL that is not Prisma's; its client knows them and does not tell. A column
 * of bytes is left out: no list reads it. src/db/client/columns.ts does not compile if another field is missing here.
 * @param {string} schema
 */
function columnsModule(schema) {
  /** @type {Record<string, Record<string, string>>} */
  const tables = {}
  for (const [, body = '', table = ''] of schema.matchAll(/^model \w+ \{\n([\s\S]*?)@@map\("(\w+)"\)\n\}/gm)) {
    const fields = body.matchAll(/^ +(\w+) +(?:String|Int|Boolean|DateTime|Json)\b(?:.* @map\("(\w+)"\))?/gm)
    tables[table] = Object.fromEntries([...fields].map(([, field = '', column = field]) => [field, column]))
  }
  return `// Written by scripts/generate.mjs.\nexport const columns = ${JSON.stringify(tables, null, 2)} as const\n`
}

/** @param {string} file the schema file */
async function runPrisma(file) {
  const prisma = `${root}node_modules/prisma/build/index.js`
  await promisify(execFile)(process.execPath, [prisma, 'generate', '--schema', file], {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${root}node_modules/.bin:${process.env['PATH'] ?? ''}`,
      // `generate` needs only WASM, but the CLI downloads an engine binary unless it is told of one.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
    },
  })
}

await runIfProgram(import.meta, generate)
