import { nebulaBuilds } from '../support/nebula-versions.ts'
import { describeMesh } from './support/requirements.ts'
import { meshMachines, meshScenes } from './support/scenes.ts'

// `npm run test:mesh:versions`; `npm test` has the same scenes with the versions mixed.
for (const build of nebulaBuilds()) {
  describeMesh(`a mesh of real machines with Nebula ${build.version}, changed by one mutation each`, () => {
    const machines = meshMachines.map((name) => [name, build] as const)
    meshScenes(Object.fromEntries(machines) as Parameters<typeof meshScenes>[0])
  })
}
