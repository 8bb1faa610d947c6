import { describe, expect, test } from '@jest/globals'

import { engines } from '../support/database.ts'
import { run } from './run.ts'

/** More of them, and other ones: `npm run test:random -- --operations 100000 --seed 7`. */
const operations = 1000
const seed = 20

describe.each(engines)('random operations of every kind of caller, on %s', (engine) => {
  test('show, tell and change nothing that is foreign, never fail, and take what they were counted at', async () => {
    const { failures, answered, compared } = await run(engine, { operations, seed })
    expect(failures).toEqual([])
    expect([...answered.keys()].sort()).toEqual(
      expect.arrayContaining(['admin node', 'node', 'operator', 'tenant admin', 'viewer']),
    )
    expect(compared).toBeGreaterThan(operations / 10)
  }, 300_000)
})
