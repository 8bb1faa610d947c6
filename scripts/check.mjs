// `npm test`: everything that must hold before a change lands. The checks that only read run two at a time, since none
// of them fills more than one core; the first one that fails ends the run. The tests come last and have the machine.
import { spawn } from 'node:child_process'
import { generate } from './generate.mjs'
import { root, runIfProgram } from './project.mjs'

/** The name of each check, its program and its arguments; slow ones first, so that the last one is short. */
const checks = /** @type {const} */ ([
  ['eslint: the lint rules', 'node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.'],
  ['tsc: the types', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'],
  ['tsc: the types of the admin page', 'node_modules/typescript/bin/tsc', '-p', 'web'],
  ['bundle: the program that the tests start', 'scripts/bundle.mjs'],
  ['web: the admin page', 'scripts/web.mjs'],
  ['knip: nothing is left unused', 'node_modules/knip/bin/knip.js'],
  ['knip: nothing in src is only for tests', 'node_modules/knip/bin/knip.js', '--production'],
  [
    'prettier: the formatting (npm run format mends it)',
    'node_modules/prettier/bin/prettier.cjs',
    '--check',
    '--log-level=warn',
    '.',
  ],
  [
    'depcruise: who may import whom',
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    '--config',
    '--',
    'src',
    'bench',
    'scripts',
    'web/src',
  ],
])
const atOnce = 2

const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js']
const reporters = ['--reporters=default', '--reporters=<rootDir>/scripts/closing-line.mjs']

/** @type {Set<import('node:child_process').ChildProcess>} the running processes, to be ended when a check fails */
const running = new Set()

async function check() {
  await timed('generate: the Prisma clients', () => generate())
  const waiting = [...checks]
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, program, ...args] = next
      await timed(name, () => run([program, ...args], 'gathered'))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  console.log('\njest: the tests')
  // Jest has reported what failed, and its closing line stays the last one.
  await run([...jest, ...reporters], 'inherit').catch(() => process.exit(1))
}

/**
 * @param {string} name the heading; the check's output follows it if the check failed
 * @param {() => Promise<void>} work
 */
async function timed(name, work) {
  const start = performance.now()
  try {
    await work()
  } catch (error) {
    for (const other of running) other.kill()
    throw new Error(`\n✗ ${name}\n\n${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  console.log(`✓ ${name}, ${((performance.now() - start) / 1000).toFixed(1)} s`)
}

/**
 * Runs node, and rejects with its output unless it exits with 0.
 * @param {readonly string[]} args
 * @param {'gathered' | 'inherit'} output
 * @returns {Promise<void>}
 */
function run(args, output) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: output === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let written = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (/** @type {string} */ text) => (written += text))
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      running.delete(child)
      if (code === 0) resolve()
      else reject(new Error(written.trim()))
    })
  })
}

await runIfProgram(import.meta, check)
