// Builds the admin page and puts it into dist/web, from where the server serves it. What did not change is not built
// again; without its sources nothing is done, and the server says that it has no page.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'

import { alone } from './alone.mjs'
import { filesOf, Step } from './built.mjs'
import { builtPage, dist, needsDevDependencies, root, runIfProgram, web } from './project.mjs'

/** What its build writes or installs, which is none of its sources. */
const made = ['dist', 'node_modules', 'screenshots']

/** Besides its folder: the schema that its operations are checked with, and what is installed. */
const others = ['schema.graphql', 'node_modules/.package-lock.json', 'scripts/web.mjs']

/** Throws if the page has errors; the built one is then unchanged. */
export async function buildWeb() {
  if (!existsSync(join(web, 'package.json'))) return
  await alone(join(dist, '.web-lock'), buildPage)
}

function buildPage() {
  const step = new Step('web', () => [...others, ...sources()])
  if (step.isDone()) return
  needsDevDependencies('vite')
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: web, stdio: 'inherit' })
  if (status !== 0) throw new Error('The admin page has errors: see above.')
  step.undo()
  rmSync(builtPage, { recursive: true, force: true })
  cpSync(join(web, 'dist'), builtPage, { recursive: true })
  step.done(filesOf(builtPage))
}

const sources = () =>
  readdirSync(web, { withFileTypes: true })
    .filter(({ name }) => !made.includes(name) && !name.startsWith('.'))
    .flatMap((entry) => {
      const path = join(web, entry.name)
      return entry.isDirectory() ? filesOf(path) : [relative(root, path)]
    })
    .sort()

await runIfProgram(import.meta, buildWeb)
