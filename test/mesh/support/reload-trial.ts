import { setTimeout as sleep } from 'node:timers/promises'

import { actionFor, signsOf, type Action, type Effective } from '../../../src/nebula/action.ts'
import type { Sign } from '../../../src/nebula/reload-signs.ts'
import type { Files, HandNebula, Line } from './hand-nebula.ts'
import type { Given, ReloadCase } from './reload-case.ts'
import type { ReloadScene } from './reload-scene.ts'

/** The result of a change while Nebula runs. */
export interface Trial {
  /** What the agent would do. */
  readonly action: Action
  /** The lines that the agent would wait for. */
  readonly signs: readonly Sign[]
  /** False when the effect was there before the change: the trial then proves nothing. */
  readonly isFair: boolean
  /** Whether Nebula logged that it read its files to the end. */
  readonly ended: boolean
  readonly lines: readonly Line[]
  /** Seconds from the signal to the effect; null when there was no effect. */
  readonly inForceAfter: number | null
  /** Whether a second reload works. */
  readonly again: boolean
}

const give = (scene: ReloadScene, machine: HandNebula, given: Given = {}): Files =>
  scene.filesOf(machine, given.settings, given)

const effective = ({ settings, ...files }: Files): Effective => ({ config: settings, ...files })

/** What the agent does for a change in a version of Nebula; nothing is run. */
export function expectation(scene: ReloadScene, one: ReloadCase): Pick<Trial, 'action' | 'signs'> {
  const before = effective(give(scene, scene.near, one.before(scene)))
  const after = effective(give(scene, scene.near, one.after(scene)))
  return { action: actionFor(before, after, scene.version), signs: signsOf(before, after, scene.version) }
}

/**
 * Changes a setting while Nebula runs, sends SIGHUP, and waits for the effect.
 * @param patience seconds
 */
export async function tryReload(scene: ReloadScene, one: ReloadCase, patience: number): Promise<Trial> {
  const { tower, near, far, third } = scene
  await near.stop()
  if (!one.third) await third.stop()
  await tower.start(give(scene, tower, one.tower?.(scene)))
  await Promise.all([
    near.start(give(scene, near, one.before(scene))),
    far.start(give(scene, far, one.far?.(scene))),
    ...(one.third ? [third.start(give(scene, third, one.third(scene)))] : []),
  ])
  await one.prepare?.(scene)
  const isFair = one.unseen === true || !(await one.inForce(scene))
  const after = give(scene, near, one.after(scene))
  const since = performance.now()
  const ended = await near.reload(after)
  const lines = [...near.lines]
  const passed = () => (performance.now() - since) / 1000
  let inForce = await one.inForce(scene)
  while (!inForce && passed() < patience) {
    await sleep(100)
    inForce = await one.inForce(scene)
  }
  const inForceAfter = inForce ? passed() : null
  return { ...expectation(scene, one), isFair, ended, lines, inForceAfter, again: await near.reload(after) }
}
