// Builds src into dist: the Prisma clients, then tsc. What did not change is not built again, and dist holds nothing
// whose source is gone.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { generate } from './generate.mjs'
import { dist, needsDevDependencies, root, runIfProgram, source } from './project.mjs'

const stamp = '.stamp'
const tscState = '.tsbuildinfo'

/** Throws where the source has errors; dist is then the one of the last build that had none. */
export async function build() {
  await generate()
  needsDevDependencies('typescript')
  const sources = filesOf(source).filter((file) => file.endsWith('.ts'))
  const outputs = new Set(sources.flatMap((file) => [file.replace(/ts$/, 'js'), file.replace(/ts$/, 'js.map')]))
  const fingerprint = fingerprintOf(sources)
  const missing = [...outputs].filter((file) => !existsSync(join(dist, file)))
  if (missing.length === 0 && readIfThere(join(dist, stamp)) === fingerprint) {
    removeStale(outputs)
    return
  }

  rmSync(join(dist, stamp), { force: true })
  // tsc believes its own notes: it does not write again what somebody took away.
  if (missing.length > 0) rmSync(join(dist, tscState), { force: true })
  const { status } = spawnSync(
    process.execPath,
    [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  )
  if (status !== 0) throw new Error('The source has errors: see above.')
  removeStale(outputs)
  // Of the sources as they were before: a file that was saved meanwhile is built next time.
  writeFileSync(join(dist, stamp), fingerprint)
}

/**
 * The files below a folder, as paths from it.
 * @param {string} folder
 */
function filesOf(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

/** @param {string[]} sources paths from src */
function fingerprintOf(sources) {
  const settings = ['scripts/build.mjs', 'tsconfig.json', 'tsconfig.build.json', 'node_modules/typescript/package.json']
  const hash = createHash('sha256')
  for (const file of [...settings.map((path) => join(root, path)), ...sources.map((path) => join(source, path))]) {
    const content = readFileSync(file)
    hash.update(`${file}\n${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

/** @param {Set<string>} outputs what the sources of today are built into */
function removeStale(outputs) {
  for (const file of filesOf(dist)) {
    if (!outputs.has(file) && file !== stamp && file !== tscState) rmSync(join(dist, file))
  }
}

/** @param {string} file */
function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

await runIfProgram(import.meta, build)
