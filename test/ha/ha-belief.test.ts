import { beforeEach, describe, expect, test } from '@jest/globals'

import { Belief, type Moment } from '../../src/ha/belief.ts'

const times = { belief: 25_000, lease: 30_000 }

describe('what a process may believe about its being the master', () => {
  let now: Moment
  let belief: Belief
  /** Both clocks go on, or each its own way. */
  const pass = (steady: number, wall = steady) => {
    now = { steady: now.steady + steady, wall: now.wall + wall }
  }
  beforeEach(() => {
    now = { steady: 1_000, wall: 1_700_000_000_000 }
    belief = new Belief(times, () => now)
  })

  test('nothing, at first', () => {
    expect([belief.held, belief.changesIn]).toEqual([false, null])
  })

  test('it holds for 25 seconds from the begin of the heartbeat that confirmed it, not from its answer', () => {
    const begin = now
    pass(4_000)
    belief.won(begin)
    expect([belief.held, belief.changesIn]).toEqual([true, 21_000])
    pass(20_999)
    expect(belief.held).toBe(true)
    pass(1)
    expect([belief.held, belief.changesIn]).toEqual([false, null])
  })

  test('each confirmation prolongs it', () => {
    belief.won(now)
    for (let beat = 0; beat < 10; beat++) {
      pass(10_000)
      belief.confirmed(now)
      expect(belief.held).toBe(true)
    }
    belief.lost()
    expect(belief.held).toBe(false)
  })

  test('a process that was stopped, or a machine that slept, believes nothing when it goes on', () => {
    belief.won(now)
    pass(60_000)
    expect(belief.held).toBe(false)
    belief.won(now)
    // Asleep: only the wall clock shows it.
    pass(3_000, 60_000)
    expect(belief.held).toBe(false)
  })

  test('a wall clock that is set back prolongs nothing', () => {
    belief.won(now)
    pass(24_000, -3_600_000)
    expect([belief.held, belief.changesIn]).toEqual([true, 1_000])
    pass(1_000, 0)
    expect(belief.held).toBe(false)
  })

  test('a process that is told to be the master, without having won it, waits for one whole lease', () => {
    belief.confirmed(now)
    for (let beat = 0; beat < 2; beat++) {
      expect([belief.held, belief.changesIn]).toEqual([false, beat === 0 ? 25_000 : 20_000])
      pass(10_000)
      belief.confirmed(now)
    }
    pass(9_000)
    belief.confirmed(now)
    expect([belief.held, belief.changesIn]).toEqual([false, 1_000])
    pass(1_000)
    expect(belief.held).toBe(true)
  })

  test('the wait is not shortened by a wall clock that jumps', () => {
    belief.confirmed(now)
    pass(1_000, 3_600_000)
    belief.confirmed(now)
    expect(belief.held).toBe(false)
  })

  test('a confirmation after more than a lease proves nothing of the time between', () => {
    belief.won(now)
    pass(30_000)
    belief.confirmed(now)
    expect(belief.held).toBe(false)
    pass(29_999)
    belief.confirmed(now)
    expect(belief.held).toBe(false)
    pass(1)
    expect(belief.held).toBe(true)
  })

  test('the answer’s time counts for that: a slow answer may be of a time when the lease was over', () => {
    belief.won(now)
    pass(20_000)
    const begin = now
    pass(10_000)
    belief.confirmed(begin)
    expect(belief.held).toBe(false)
  })
})
