import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'

import { peersFolder } from './targets.ts'

/** Installs the peers where they are missing or older than bench/peers requires. */
export function installPeers(): void {
  const done = `${peersFolder}node_modules/.package-lock.json`
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(`${peersFolder}package-lock.json`).mtimeMs) return
  console.log('Installing the peers (once) …')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: peersFolder, stdio: 'inherit' })
  if (status !== 0) throw new Error('The peers could not be installed; --no-peers measures without them.')
}
