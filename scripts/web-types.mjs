// Writes the types that the admin page's documents are checked against, from the printed schema: the page knows nothing
// else of the server. Does nothing when schema.graphql and the generator are those of the last run.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

import { root, runIfProgram } from './project.mjs'

const folder = `${root}web/src/api/generated/`
const file = `${folder}schema.d.ts`

/** The file begins with the fingerprint of what it was made from. */
export async function generateWebTypes() {
  const text = readFileSync(`${root}schema.graphql`, 'utf8')
  const fingerprint = createHash('sha256').update(text)
  for (const path of ['scripts/web-types.mjs', 'node_modules/@gql.tada/internal/package.json']) {
    fingerprint.update(readFileSync(`${root}${path}`))
  }
  const mark = `// ${fingerprint.digest('hex')}\n`
  if (existsSync(file) && readFileSync(file, 'utf8').startsWith(mark)) return

  const { buildSchema, introspectionFromSchema } = await import('graphql')
  const { minifyIntrospection, outputIntrospectionFile } = await import('@gql.tada/internal')
  const schema = introspectionFromSchema(buildSchema(text), { descriptions: false })
  mkdirSync(folder, { recursive: true })
  const types = outputIntrospectionFile(minifyIntrospection(schema), { fileType: '.d.ts', shouldPreprocess: true })
  writeFileSync(file, mark + types)
}

await runIfProgram(import.meta, generateWebTypes)
