import { Worker, type WorkerOptions } from 'node:worker_threads'

/** Each thread's module by the thread's name: its path from src, without the ending. The build reads it, too. */
import threads from './threads.json' with { type: 'json' }

export type ThreadName = keyof typeof threads

/**
 * Whether this process has a loader for TypeScript (`npm run dev`). All other processes start the built threads: the
 * program itself, whose modules are bundled and not where they were written, and Jest, which has built them before.
 */
const hasLoader = import.meta.url.endsWith('.ts') && process.execArgv.some((argument) => argument.includes('tsx'))

/** The folder of the package: src/base and dist/chunks, where this may run, both lie two levels below it. */
const root = new URL('../../', import.meta.url)

/**
 * The address of a file of the program that is not a module.
 * @param path from the folder of the package
 */
export const programFile = (path: string): URL => new URL(path, root)

/** Starts one of the program's threads; only those of threads.json exist, since only those are built. */
export function startThread(name: ThreadName, options: Omit<WorkerOptions, 'name' | 'eval'>): Worker {
  const module = threads[name]
  const start = hasLoader ? loaderOf(module) : programFile(`dist/${module}.js`)
  // eslint-disable-next-line no-restricted-syntax -- this is the place that all others are told of
  return new Worker(start, { ...options, name, eval: hasLoader })
}

/** Threads do not inherit the program's loader. */
const loaderOf = (module: string): string => `import('tsx/esm/api').then(({ register }) => {
  register()
  return import(${JSON.stringify(programFile(`src/${module}.ts`).href)})
})`
