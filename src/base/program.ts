import { Worker, type WorkerOptions } from 'node:worker_threads'

/** As it was written (in development and tests), or built: then modules are bundled, and none is where it was written. */
const isSource = import.meta.url.endsWith('.ts')

/** The folder of the package: src/base and dist/chunks, where this may run, both lie two levels below it. */
const root = new URL('../../', import.meta.url)

/**
 * The address of a file of the program that is no module.
 * @param path from the folder of the package
 */
export const programFile = (path: string): URL => new URL(path, root)

/**
 * Starts a module as a thread.
 * @param module its path from src, without the ending; scripts/bundle.mjs and knip.json list it, too
 */
export function startThread(module: string, options: WorkerOptions): Worker {
  if (!isSource) return new Worker(programFile(`dist/${module}.js`), options)
  // Run from its source, the thread needs a loader for TypeScript: threads do not inherit the program's.
  const load = `import('tsx/esm/api').then(({ register }) => {
    register()
    return import(${JSON.stringify(programFile(`src/${module}.ts`).href)})
  })`
  return new Worker(load, { ...options, eval: true })
}
