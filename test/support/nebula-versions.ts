import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { compareVersions, versionIn } from '../../src/nebula/version.ts'

/** One Nebula that this machine can run. */
export interface NebulaBuild {
  /** Such as `1.6.1`. */
  readonly version: string
  readonly nebula: string
  readonly nebulaCert: string
}

/** Where `.ci/nebula-versions` puts the versions of newer Debian suites. */
const beside = resolve(import.meta.dirname, '../../node_modules/.cache/nebula')

/** Every Nebula on this machine, the oldest first: the system's, and those installed beside it. */
export function nebulaBuilds(): readonly NebulaBuild[] {
  const folders = existsSync(beside) ? readdirSync(beside).map((folder) => join(beside, folder)) : []
  const all = [installed(), ...folders].flatMap((folder) => (folder === null ? [] : buildIn(folder)))
  return all
    .filter(({ version }, index) => all.findIndex((other) => other.version === version) === index)
    .sort((a, b) => compareVersions(a.version, b.version))
}

/** The system's folder of Nebula; null when it is not installed. */
function installed(): string | null {
  try {
    return dirname(execFileSync('which', ['nebula'], { encoding: 'utf8' }).trim())
  } catch {
    return null
  }
}

function buildIn(folder: string): readonly NebulaBuild[] {
  const [nebula, nebulaCert] = [join(folder, 'nebula'), join(folder, 'nebula-cert')]
  const version = versionIn(execFileSync(nebula, ['-version'], { encoding: 'utf8' }))
  if (version === null) throw new Error(`${nebula} does not say which version it is`)
  return [{ version, nebula, nebulaCert }]
}
