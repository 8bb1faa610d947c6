// What the scripts know about the project: where its parts are, and how a script runs when it is started directly.
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The project's folder, with a slash at the end, as every folder here. */
export const root = fileURLToPath(new URL('../', import.meta.url))
export const source = `${root}src/`
export const generated = `${source}db/generated/`
export const dist = `${root}dist/`
/** The admin page: its sources, and what the server serves. */
export const web = `${root}web/`
export const builtPage = `${dist}web/`

/** @type {unknown} */
const list = JSON.parse(readFileSync(`${source}base/threads.json`, 'utf8'))

/** The modules that are started as threads, as paths from src without the ending: the program starts no others. */
export const threads = Object.values(/** @type {Record<string, string>} */ (list))

/**
 * Does the work if node was started with this module, and not if another module imported it. A failure is reported in
 * one line, since it is about the project and not about the script.
 * @param {ImportMeta} module
 * @param {() => Promise<void>} work
 */
export async function runIfProgram(module, work) {
  const started = process.argv[1]
  if (started === undefined || realpathSync(started) !== fileURLToPath(module.url)) return
  try {
    await work()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}

/**
 * Throws an explanation if a tool is missing: `npm ci` leaves tools out under NODE_ENV=production.
 * @param {string} tool the name of its package
 */
export function needsDevDependencies(tool) {
  if (existsSync(`${root}node_modules/${tool}/package.json`)) return
  throw new Error(
    `${tool} is not installed, and without it nothing can be built. Install with \`npm ci --include=dev\`; ` +
      'a program that is built already runs as `node dist/cli/index.js`.',
  )
}
