import { execFileSync } from 'node:child_process'

import { describe } from '@jest/globals'

function isInstalled(): boolean {
  try {
    execFileSync('nebula', ['-version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Tests with the real Nebula (Debian's package `nebula`): skipped where it is missing, but never in CI. */
export function describeWithNebula(title: string, tests: () => void): void {
  if (isInstalled() || process.env['CI']) describe(title, tests)
  else describe.skip(`${title} (needs nebula)`, tests)
}
