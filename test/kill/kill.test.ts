import { describe, expect, test } from '@jest/globals'

import { engines } from '../support/database.ts'
import { run } from './run.ts'

/** More of them: `npm run test:kill -- --rounds 50`. */
const rounds = 2

describe.each(engines)('a storm of changes on %s, in which the server, or PostgreSQL below it, is killed', (engine) => {
  test('loses nothing that was acknowledged, leaves the database whole, and is served again', async () => {
    const { acknowledged, lost, wrong, readyAfter } = await run(engine, rounds)
    expect({ lost, wrong }).toEqual({ lost: [], wrong: [] })
    expect(acknowledged).toBeGreaterThan(rounds)
    expect(readyAfter).toHaveLength(rounds)
  }, 120_000)
})
