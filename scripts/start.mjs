// `npm start`: builds what changed, then becomes the server. It runs in this very process, so that a signal sent to npm
// or to the terminal's group reaches it with no shell or parent between that would die first or change the exit code.
import { pathToFileURL } from 'node:url'
import { build } from './build.mjs'
import { dist, runIfProgram } from './project.mjs'

await runIfProgram(import.meta, build)
// `orrery` without a command is `orrery serve`, and takes what stands behind `npm start --`.
const orrery = `${dist}cli/index.js`
process.argv[1] = orrery
await import(pathToFileURL(orrery).href)
