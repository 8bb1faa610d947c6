// Bundles src and the packages it imports into dist: a few files instead of a thousand, which node would find, read and
// link one by one at every start. It is a program of its own, since esbuild leaves a process beside the one it runs in.
import { readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'

import { build as esbuild } from 'esbuild'

import { dist, root, runIfProgram } from './project.mjs'

/** What is started by its path: the program and its threads. All else is in chunks, loaded where they are imported. */
const entryPoints = ['cli/index', 'domain/bundle/yaml-worker', 'domain/bundle/compile-worker', 'domain/plan/worker', 'db/bulk-worker']

/** Native libraries are files beside theirs. */
const external = ['better-sqlite3', '@node-rs/argon2']

/** Packages written for CommonJS `require` what node has built in. */
const banner = `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);`

/**
 * All take graphql's ES modules, also who asks for its CommonJS files: of two copies, neither knows the other's classes.
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
  const { metafile } = await esbuild({
    absWorkingDir: root,
    entryPoints: entryPoints.map((path) => `src/${path}.ts`),
    outbase: 'src',
    outdir: dist,
    // One level below dist, as src/base/program.ts counts on.
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    plugins: [oneGraphql],
    external,
    banner: { js: banner },
    // Nothing is minified, so that stack traces can be read; the maps are for debuggers.
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  })
  removeAllBut(new Set(Object.keys(metafile.outputs)))
}

/** @param {Set<string>} outputs paths from the root */
function removeAllBut(outputs) {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile() && !entry.name.startsWith('.') && !outputs.has(relative(root, file))) rmSync(file)
  }
}

await runIfProgram(import.meta, bundle)
