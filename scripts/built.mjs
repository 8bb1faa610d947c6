// Records which sources each build step was done for, so that unchanged sources are not built again.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { dist, root, source } from './project.mjs'

/** The inputs of the build besides src; the last is what is installed, since it is bundled, too. */
const settings = [
  'scripts/build.mjs',
  'scripts/bundle.mjs',
  'scripts/project.mjs',
  'tsconfig.json',
  'tsconfig.build.json',
  'node_modules/.package-lock.json',
]

/** A step of the build, recorded in dist by a file: the fingerprint of its sources, then the files that it made. */
export class Step {
  #mark
  #fingerprint

  /**
   * @param {string} name
   * @param {() => readonly string[]} inputs what it is made of; the program's sources and settings by default
   */
  constructor(name, inputs = programInputs) {
    this.#mark = join(dist, `.${name}`)
    this.#fingerprint = fingerprint(inputs())
  }

  /** Whether it was done for these sources, and its outputs exist. */
  isDone() {
    const [of, ...outputs] = existsSync(this.#mark) ? readFileSync(this.#mark, 'utf8').split('\n') : []
    return of === this.#fingerprint && outputs.every((file) => existsSync(join(root, file)))
  }

  /**
   * Records the sources as they were before the step began: a file that was saved meanwhile is built next time.
   * @param {readonly string[]} outputs paths from the root
   */
  done(outputs = []) {
    mkdirSync(dist, { recursive: true })
    writeFileSync(this.#mark, [this.#fingerprint, ...outputs].join('\n'))
  }

  undo() {
    rmSync(this.#mark, { force: true })
  }
}

/**
 * The files below a folder, as paths from the root.
 * @param {string} folder
 */
export function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

const programInputs = () => [...settings, ...filesOf(source).filter((file) => /\.(ts|json)$/.test(file))]

/** @param {readonly string[]} inputs paths from the root */
function fingerprint(inputs) {
  const hash = createHash('sha256')
  for (const file of inputs) {
    const content = readFileSync(join(root, file))
    hash.update(`${file}\n${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}
