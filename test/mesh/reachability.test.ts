import { expect, jest, test } from '@jest/globals'

import { machineOf } from '../../src/nebula/reachability/machine.ts'
import { decideReachability, type Reachability } from '../../src/nebula/reachability/reachability.ts'
import type { Files } from './support/hand-nebula.ts'
import { eventually, reaches } from './support/pings.ts'
import { reachabilityCases, type ReachabilityCase } from './support/reachability-cases.ts'
import { scenesOfAllVersions, type ReloadScene } from './support/reload-scene.ts'
import { describeMesh } from './support/requirements.ts'

jest.setTimeout(180_000)

/** Seconds within which a ping arrives that arrives at all, and seconds after which one is given up. */
const patience = { arrives: 40, lost: 2 }

/** What was said of a ping, and what became of it. */
interface Trial {
  readonly decided: Reachability
  readonly arrived: boolean
}

async function tryCase(scene: ReloadScene, one: ReachabilityCase): Promise<Trial> {
  const { tower, near, far } = scene
  const filesOf = (machine: typeof near, given: ReachabilityCase['near'] | undefined): Files => {
    const { settings, ...files } = given?.(scene) ?? {}
    return scene.filesOf(machine, settings, files)
  }
  await Promise.all([near.stop(), far.stop()])
  await tower.start(filesOf(tower, one.tower))
  const files = { near: filesOf(near, one.near), far: filesOf(far, one.far) }
  await Promise.all([near.start(files.near), far.start(files.far)])
  await one.prepare?.(scene)
  const destination = one.behind ?? far.overlayIp
  const machine = (name: 'near' | 'far') => {
    const { settings: config, ca, certificate } = files[name]
    return machineOf(name, scene.version, { config, ca, certificate })
  }
  const decided = decideReachability(
    machine('near'),
    machine('far'),
    { protocol: 'icmp', port: null, destination },
    new Date(),
  )
  const seconds = decided.obstacles.length === 0 ? patience.arrives : patience.lost
  const arrived = await eventually('', () => reaches(near.machine, destination), seconds).then(
    () => true,
    () => false,
  )
  return { decided, arrived }
}

describeMesh('whether one node reaches another', () => {
  const scenes = scenesOfAllVersions()

  test.each(reachabilityCases.map((one) => [one.title, one] as const))(
    'is said as packets show it in each version: %s',
    async (_title, one) => {
      const found = await Promise.all(
        scenes.map(async (scene) => {
          const { decided, arrived } = await tryCase(scene, one)
          return [scene.version, decided.obstacles.map(({ code }) => code), arrived] as const
        }),
      )
      expect(found).toEqual(scenes.map(({ version }) => [version, one.obstacles, one.obstacles.length === 0]))
    },
  )

  test('names the relays that the receiver has', async () => {
    const [scene] = scenes
    const relayed = reachabilityCases.find(({ title }) => title === 'a relay carries it')
    if (!scene || !relayed) throw new Error('there is no scene with a relay')
    const { decided } = await tryCase(scene, relayed)
    expect(decided.relays).toEqual([scene.tower.overlayIp])
  })
})
