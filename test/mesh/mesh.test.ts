import { nebulaBuilds } from '../support/nebula-versions.ts'
import { describeMesh } from './support/requirements.ts'
import { meshMachines, meshScenes } from './support/scenes.ts'

const [oldest, ...newer] = nebulaBuilds()
const newest = newer.at(-1) ?? oldest

/**
 * The relay has the newest version, and so has the node that sends through it: older ones do not always find the way
 * again (docs/nebula.md, "Mixed clusters"). `each-version.ts` tries the versions one by one.
 */
const builds = { tower: newest, near: newest, far: oldest, router: newest, doomed: newer[0] ?? oldest }

const mixed = meshMachines.map((name) => {
  const build = builds[name]
  return [name, build ?? { version: 'none', nebula: 'nebula', nebulaCert: 'nebula-cert' }] as const
})
const told = mixed.map(([name, { version }]) => `${name} ${version}`).join(', ')

describeMesh(`a mesh of real machines, changed by one mutation each (${told})`, () => {
  meshScenes(Object.fromEntries(mixed) as Parameters<typeof meshScenes>[0])
})
