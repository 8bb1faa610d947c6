// Builds src into dist: the Prisma clients, then tsc checks the types, then esbuild bundles. What did not change is not
// built again, and dist holds nothing whose source is gone.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { generate } from './generate.mjs'
import { dist, needsDevDependencies, root, runIfProgram, source } from './project.mjs'

/** The fingerprint of what dist was built from, then dist's files. */
const stamp = join(dist, '.stamp')

/** What decides about the build besides src; the last is what is installed, which is bundled, too. */
const settings = [
  'scripts/build.mjs',
  'scripts/bundle.mjs',
  'tsconfig.json',
  'tsconfig.build.json',
  'node_modules/.package-lock.json',
]

/** Throws where the source has errors; dist is then the one of the last build that had none. */
export async function build() {
  await generate()
  needsDevDependencies('typescript')
  const fingerprint = fingerprintOf(filesOf(source).filter((file) => file.endsWith('.ts')))
  const [built, ...outputs] = existsSync(stamp) ? readFileSync(stamp, 'utf8').split('\n') : []
  if (built === fingerprint && outputs.every((file) => existsSync(join(dist, file)))) return

  rmSync(stamp, { force: true })
  run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json')
  run('scripts/bundle.mjs')
  // Of the sources as they were before: a file that was saved meanwhile is built next time.
  writeFileSync(stamp, [fingerprint, ...filesOf(dist)].join('\n'))
}

/** @param {string[]} args */
function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error('The source has errors: see above.')
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
  const hash = createHash('sha256')
  for (const file of [...settings.map((path) => join(root, path)), ...sources.map((path) => join(source, path))]) {
    const content = readFileSync(file)
    hash.update(`${file}\n${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

await runIfProgram(import.meta, build)
