import { expect, jest, test } from '@jest/globals'

import { reloadBegins, reloadEnds } from '../../src/nebula/reload-signs.ts'
import { isAtLeast } from '../../src/nebula/version.ts'
import type { ReloadCase } from './support/reload-case.ts'
import { reloadCases } from './support/reload-cases.ts'
import { scenesOfAllVersions, type ReloadScene } from './support/reload-scene.ts'
import { expectation, tryReload, type Trial } from './support/reload-trial.ts'
import { describeMesh } from './support/requirements.ts'
import { restartCases } from './support/restart-cases.ts'

jest.setTimeout(120_000)

/** Seconds: an effect that is there at all was seen within nine, on an idle machine. */
const patience = 40

/** What is wrong with a reload that the agent would trust; nothing when all is well. */
function faultsOf({ signs, isFair, ended, lines, inForceAfter, again }: Trial): string[] {
  const said = lines.map(({ msg }) => msg)
  const end = said.findIndex((msg) => reloadEnds.test(msg))
  const begin = said.findIndex((msg) => reloadBegins.test(msg))
  const unsaid = signs.filter(({ line }) => !said.slice(begin + 1, end).some((msg) => line.test(msg)))
  return [
    ...(isFair ? [] : ['its effect was there before the change']),
    ...(ended ? [] : ['its end was not said']),
    ...(begin === 0 ? [] : ['its begin was not said first']),
    ...unsaid.map(({ of }) => `between begin and end nothing was said of ${of}: ${said.join(' | ')}`),
    ...(inForceAfter === null ? ['it is not in force'] : []),
    ...(again ? [] : ['the next reload is not answered']),
  ]
}

describeMesh('a reload that the agent trusts', () => {
  const scenes = scenesOfAllVersions()

  const isTrusted = (scene: ReloadScene, one: ReloadCase) =>
    (one.since === undefined || isAtLeast(scene.version, one.since)) && expectation(scene, one).action === 'reload'

  test.each(
    reloadCases.filter(({ slow }) => slow !== true).map((one) => [`${one.setting}: ${one.what}`, one] as const),
  )('is in force to its end in each version, and leaves Nebula able to reload: %s', async (_title, one) => {
    const trusted = scenes.filter((scene) => isTrusted(scene, one))
    const faults = await Promise.all(
      trusted.map(async (scene) => [scene.version, faultsOf(await tryReload(scene, one, patience))] as const),
    )
    expect(faults).toEqual(trusted.map(({ version }) => [version, []]))
  })

  test('is not that of a setting which hangs it, which is read at the start only, or which live tunnels do not heed', () => {
    const trusting = (one: ReloadCase) => scenes.filter((scene) => isTrusted(scene, one)).map(({ version }) => version)
    for (const one of restartCases) {
      expect([one.setting, one.what, trusting(one)]).toEqual([one.setting, one.what, []])
    }
    const [interval] = reloadCases.filter(({ setting }) => setting === 'lighthouse.interval')
    expect(interval && trusting(interval)).toEqual(
      scenes.map(({ version }) => version).filter((version) => isAtLeast(version, '1.9.3')),
    )
  })
})
