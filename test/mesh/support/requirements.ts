import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

import { describe } from '@jest/globals'

/** What a mesh in namespaces needs and this machine does not have. */
function lacking(): readonly string[] {
  const programs = [
    ['nebula', '-version'],
    ['ip', '-V'],
    ['ping', '-V'],
  ] as const
  const missing: string[] = programs.filter(([program, option]) => !runs(program, option)).map(([program]) => program)
  if (process.getuid?.() !== 0) missing.push('root')
  if (!existsSync('/dev/net/tun')) missing.push('/dev/net/tun')
  return missing
}

function runs(program: string, option: string): boolean {
  try {
    execFileSync(program, [option], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Tests on a real mesh: skipped, with the reason in the title, where the machine cannot run one; but never in CI. */
export function describeMesh(title: string, tests: () => void): void {
  const missing = lacking()
  // eslint-disable-next-line no-restricted-properties -- whether this is CI is the test runner's own affair
  if (missing.length === 0 || process.env['CI']) describe(title, tests)
  else describe.skip(`${title} (needs ${missing.join(', ')})`, tests)
}
