// Generates the Prisma clients of both engines from the one schema, and the types Pothos reads.
// Does nothing when the schema and the generator are the ones of the last run.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const generated = `${root}src/db/generated`
const stamp = `${generated}/.stamp`
const schema = readFileSync(`${root}prisma/schema.prisma`, 'utf8')
const fingerprint = createHash('sha256')
  .update(schema)
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .update(readFileSync(`${root}node_modules/prisma/package.json`))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== fingerprint) {
  generate(`${root}prisma/schema.prisma`)
  const postgresql = schema
    .replace(/generator pothos \{[^}]*\}\n/, '')
    .replace('provider = "sqlite"', 'provider = "postgresql"')
    .replace('../src/db/generated/sqlite', '../postgresql')
  mkdirSync(`${generated}/postgresql-schema`, { recursive: true })
  writeFileSync(`${generated}/postgresql-schema/schema.prisma`, postgresql)
  generate(`${generated}/postgresql-schema/schema.prisma`)
  writeFileSync(stamp, fingerprint)
}

/** @param {string} file the schema file */
function generate(file) {
  execFileSync(process.execPath, [`${root}node_modules/prisma/build/index.js`, 'generate', '--schema', file], {
    cwd: root,
    // `generate` needs only WASM, but the CLI fetches an engine binary first unless it is told of one.
    env: { ...process.env, PATH: `${root}node_modules/.bin:${process.env.PATH}`, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
