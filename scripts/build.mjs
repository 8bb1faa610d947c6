// Builds src into dist: the Prisma clients, then tsc checks the types, then esbuild bundles; and the admin page. What did
// not change is not built again, and dist holds nothing whose source no longer exists.
import { spawnSync } from 'node:child_process'

import { Step } from './built.mjs'
import { generate } from './generate.mjs'
import { needsDevDependencies, root, runIfProgram } from './project.mjs'
import { buildWeb } from './web.mjs'

/** Throws if the source has errors; dist is then unchanged. */
export async function build() {
  await generate()
  needsDevDependencies('typescript')
  const types = new Step('types')
  if (!types.isDone()) {
    run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json')
    types.done()
  }
  if (!new Step('bundle').isDone()) run('scripts/bundle.mjs')
  await buildWeb()
}

/** @param {string[]} args */
function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error('The source has errors: see above.')
}

await runIfProgram(import.meta, build)
