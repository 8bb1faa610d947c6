import { nebulaBuilds } from '../support/nebula-versions.ts'
import { describeMesh } from './support/requirements.ts'
import { meshMachines, meshScenes } from './support/scenes.ts'

/**
 * The newest first, for the lighthouse, which is the relay too: behind a relay of 1.6, a node of 1.11 does not take its peer
 * back that was started anew. One machine after the other has the next one; `each-version.ts` tries them one by one.
 */
const builds = nebulaBuilds().toReversed()

const mixed = meshMachines.map((name, index) => {
  const build = builds[index % builds.length]
  return [name, build ?? { version: 'none', nebula: 'nebula', nebulaCert: 'nebula-cert' }] as const
})
const told = mixed.map(([name, { version }]) => `${name} ${version}`).join(', ')

describeMesh(`a mesh of real machines, changed by one mutation each (${told})`, () => {
  meshScenes(Object.fromEntries(mixed) as Parameters<typeof meshScenes>[0])
})
