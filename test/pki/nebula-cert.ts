import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe } from '@jest/globals'

/** A test vector that nebula-cert made (vectors/README.md). */
export const vector = (name: string): string => readFileSync(join(import.meta.dirname, 'vectors', name), 'utf8')

/** A folder in which nebula-cert works. */
export class Workshop {
  readonly #folder = mkdtempSync(join(tmpdir(), 'orrery-pki-'))

  /** Runs nebula-cert; what it says on failure is in the error. */
  run(...args: readonly string[]): string {
    return execFileSync('nebula-cert', args, { cwd: this.#folder, encoding: 'utf8', stdio: 'pipe' })
  }

  read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8')
  }

  write(name: string, text: string): string {
    writeFileSync(join(this.#folder, name), text)
    return name
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function isInstalled(): boolean {
  try {
    execFileSync('nebula-cert', ['-version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Tests beside nebula-cert (Debian's package `nebula`): left out where it is missing, but never in CI. */
export function describeWithNebulaCert(title: string, tests: (workshop: () => Workshop) => void): void {
  // eslint-disable-next-line no-restricted-properties -- whether this is CI is the test runner's own affair
  const block = isInstalled() || process.env['CI'] ? describe : describe.skip
  block(title, () => {
    let workshop: Workshop | undefined
    beforeAll(() => {
      workshop = new Workshop()
    })
    afterAll(() => workshop?.remove())
    tests(() => {
      if (!workshop) throw new Error('the workshop is open only while tests run')
      return workshop
    })
  })
}
