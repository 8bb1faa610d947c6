// `npm run test:kill -- --rounds 50 [--engine sqlite]`
import { parseArgs } from 'node:util'

import { engines } from '../support/database.ts'
import setUp from '../support/global-setup.ts'
import tearDown from '../support/global-teardown.ts'
import { run } from './run.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '50' }, engine: { type: 'string' } },
})
const rounds = Number(values.rounds)
if (!Number.isSafeInteger(rounds) || rounds < 1 || rounds > 10_000) {
  throw new Error('--rounds is a whole number from 1 to 10000')
}
const chosen = engines.filter((engine) => values.engine === undefined || values.engine === engine)
if (chosen.length === 0) throw new Error(`--engine is one of ${engines.join(', ')}`)

await setUp()
try {
  for (const engine of chosen) {
    const { acknowledged, lost, wrong, readyAfter } = await run(engine, rounds, (line) => {
      process.stdout.write(`${engine}, ${line}\n`)
    })
    for (const one of [...lost, ...wrong]) process.stderr.write(`${engine}: ${one}\n`)
    const slowest = Math.max(...readyAfter)
    process.stdout.write(
      `${engine}: ${rounds} rounds, ${acknowledged} acknowledged, ${lost.length} lost, ${wrong.length} wrong, ready again within ${(slowest / 1000).toFixed(1)} s\n`,
    )
    if (lost.length + wrong.length > 0) process.exitCode = 1
  }
} finally {
  await tearDown()
}
