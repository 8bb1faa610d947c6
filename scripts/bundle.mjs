// Bundles src and the packages it imports into dist: a few files instead of a thousand, which node would find, read and
// link one by one at every start. It is a program of its own, since esbuild leaves a process running beside its caller.
// It does not check types (build.mjs does so before); the tests start its output.
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'

import { build as esbuild } from 'esbuild'

import { alone } from './alone.mjs'
import { filesOf, Step } from './built.mjs'
import { builtPage, dist, root, runIfProgram, threads } from './project.mjs'

/** What is started by path: the program and its threads. Everything else is in chunks, loaded when imported. */
const entryPoints = ['cli/index', ...threads]

/** These packages load native libraries from files beside their own. */
const external = ['better-sqlite3', '@node-rs/argon2']

/** Packages in CommonJS `require` node's built-in modules. */
const banner = `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);`

/**
 * All importers get graphql's ES modules, even of its CommonJS files: two copies do not recognise each other's classes.
 * @type {import('esbuild').Plugin}
 */
const oneGraphql = {
  name: 'one graphql',
  setup(build) {
    build.onResolve({ filter: /^graphql(\/|$)/ }, async ({ path, pluginData, ...asked }) => {
      if (pluginData === oneGraphql) return undefined
      const found = await build.resolve(path, { ...asked, pluginData: oneGraphql })
      return { ...found, path: found.path.replace(/\.js$/, '.mjs') }
    })
  },
}

async function bundle() {
  const step = new Step('bundle')
  if (step.isDone()) return
  step.undo()
  const { metafile } = await esbuild({
    absWorkingDir: root,
    entryPoints: entryPoints.map((path) => `src/${path}.ts`),
    outbase: 'src',
    outdir: dist,
    // One level below dist, as src/base/program.ts expects.
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    plugins: [oneGraphql],
    external,
    // What is shipped is production: graphql compares classes by a slow way otherwise, a third of a document's checks.
    define: { 'process.env.NODE_ENV': '"production"' },
    banner: { js: banner },
    // Nothing is minified, so that stack traces can be read; the maps are for debuggers.
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  })
  const outputs = Object.keys(metafile.outputs)
  const made = new Set(outputs)
  // The page is made by web.mjs.
  const ours = filesOf(dist).filter((file) => !join(root, file).startsWith(builtPage))
  const stale = ours.filter((file) => !made.has(file) && !basename(file).startsWith('.'))
  for (const file of stale) rmSync(join(root, file))
  step.done(outputs)
}

await runIfProgram(import.meta, () => alone(join(dist, '.lock'), bundle))
