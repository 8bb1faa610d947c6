import { isAtLeast } from '../../src/nebula/version.ts'
import { nebulaBuilds } from '../support/nebula-versions.ts'
import { Lab } from './support/lab.ts'
import type { ReloadCase } from './support/reload-case.ts'
import { reloadCases } from './support/reload-cases.ts'
import { ReloadScene } from './support/reload-scene.ts'
import { restartCases } from './support/restart-cases.ts'
import { tryReload, type Trial } from './support/reload-trial.ts'

/*
 * Prints what each Nebula that can be had here does with SIGHUP, setting by setting, as a table in Markdown: what
 * docs/agent.md says of it. Needs root, and some five minutes. `npm run test:reload -- lighthouse` tries a part.
 */

/** Longer than any effect that was seen takes. */
const patience = 14

const [, , wanted = ''] = process.argv
const cases = [...reloadCases, ...restartCases].filter(({ setting }) => setting.startsWith(wanted))

function say({ action, isFair, ended, inForceAfter, again }: Trial): string {
  const effect = inForceAfter === null ? 'not in force' : `in force after ${inForceAfter.toFixed(1)} s`
  const faults = [isFair ? '' : 'no fair trial', ended ? '' : 'no end of the reload', again ? '' : 'deaf from then on']
  return `${action}: ${[effect, ...faults.filter((fault) => fault !== '')].join(', ')}`
}

async function column(scene: ReloadScene): Promise<Map<ReloadCase, string>> {
  const said = new Map<ReloadCase, string>()
  for (const one of cases) {
    const isKnown = one.since === undefined || isAtLeast(scene.version, one.since)
    said.set(
      one,
      isKnown ? await tryReload(scene, one, patience).then(say, (error: unknown) => String(error)) : 'unknown',
    )
  }
  return said
}

const lab = await Lab.open()
try {
  const scenes: ReloadScene[] = []
  for (const build of nebulaBuilds()) scenes.push(await ReloadScene.open(lab, build))
  const columns = await Promise.all(scenes.map(column))
  const row = (cells: readonly string[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`)
  row(['setting', 'effect', ...scenes.map(({ version }) => version)])
  row(['---', '---', ...scenes.map(() => '---')])
  for (const one of cases) row([`\`${one.setting}\``, one.what, ...columns.map((each) => each.get(one) ?? '')])
} finally {
  await lab.destroy()
}
