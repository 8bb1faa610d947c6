// `npm run test:random -- --operations 100000 --seed 7 [--from 1200] [--engine sqlite]`
import { parseArgs } from 'node:util'

import { engines } from '../support/database.ts'
import setUp from '../support/global-setup.ts'
import tearDown from '../support/global-teardown.ts'
import { operationsOfRound, run } from './run.ts'

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    engine: { type: 'string' },
  },
})
const [operations, seed, from] = [Number(values.operations), Number(values.seed), Number(values.from)]
if (![operations, seed, from].every(Number.isSafeInteger) || from % operationsOfRound !== 0) {
  throw new Error(`--operations, --seed and --from are whole numbers, --from a multiple of ${operationsOfRound}`)
}
const chosen = engines.filter((engine) => values.engine === undefined || values.engine === engine)

await setUp()
try {
  for (const engine of chosen) {
    const share = Math.ceil(operations / chosen.length)
    const { failures, compared } = await run(engine, { operations: share, seed, from })
    for (const failure of failures) process.stderr.write(`${engine}, ${failure}\n\n`)
    process.stdout.write(
      `${engine}: ${share} operations, ${compared} compared with missing ids, ${failures.length} failures\n`,
    )
    if (failures.length > 0) process.exitCode = 1
  }
} finally {
  await tearDown()
}
