// `npm start`: builds what changed, then becomes the server. The server runs in this very process: a signal to npm or
// to the terminal's group reaches it without a shell or parent in between that would die first or change the exit code.
import { pathToFileURL } from 'node:url'
import { build } from './build.mjs'
import { dist, runIfProgram } from './project.mjs'

await runIfProgram(import.meta, build)
// `orrery` without a command is `orrery serve`, and takes the arguments that follow `npm start --`.
const orrery = `${dist}cli/index.js`
process.argv[1] = orrery
await import(pathToFileURL(orrery).href)
