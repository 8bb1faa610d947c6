import { beforeEach, describe, expect, test } from '@jest/globals'

import { Mastership, type Moment } from '../../src/ha/mastership.ts'

const times = { validity: 25_000, lease: 30_000 }

describe('when a process is the master', () => {
  let now: Moment
  let mastership: Mastership
  /** Both clocks go on, or each its own way. */
  const pass = (steady: number, wall = steady) => {
    now = { steady: now.steady + steady, wall: now.wall + wall }
  }
  beforeEach(() => {
    now = { steady: 1_000, wall: 1_700_000_000_000 }
    mastership = new Mastership(times, () => now)
  })

  test('nothing, at first', () => {
    expect([mastership.held, mastership.changesIn]).toEqual([false, null])
  })

  test('it holds for 25 seconds from the begin of the heartbeat that confirmed it, not from its answer', () => {
    const begin = now
    pass(4_000)
    mastership.won(begin)
    expect([mastership.held, mastership.changesIn]).toEqual([true, 21_000])
    pass(20_999)
    expect(mastership.held).toBe(true)
    pass(1)
    expect([mastership.held, mastership.changesIn]).toEqual([false, null])
  })

  test('each confirmation prolongs it', () => {
    mastership.won(now)
    for (let beat = 0; beat < 10; beat++) {
      pass(10_000)
      mastership.confirmed(now)
      expect(mastership.held).toBe(true)
    }
    mastership.lost()
    expect(mastership.held).toBe(false)
  })

  test('a process that was stopped, or a machine that slept, is not the master when it goes on', () => {
    mastership.won(now)
    pass(60_000)
    expect(mastership.held).toBe(false)
    mastership.won(now)
    // Asleep: only the wall clock shows it.
    pass(3_000, 60_000)
    expect(mastership.held).toBe(false)
  })

  test('a wall clock that is set back prolongs nothing', () => {
    mastership.won(now)
    pass(24_000, -3_600_000)
    expect([mastership.held, mastership.changesIn]).toEqual([true, 1_000])
    pass(1_000, 0)
    expect(mastership.held).toBe(false)
  })

  test('a process that is told to be the master, without having won it, waits for one whole lease', () => {
    mastership.confirmed(now)
    for (let beat = 0; beat < 2; beat++) {
      expect([mastership.held, mastership.changesIn]).toEqual([false, beat === 0 ? 25_000 : 20_000])
      pass(10_000)
      mastership.confirmed(now)
    }
    pass(9_000)
    mastership.confirmed(now)
    expect([mastership.held, mastership.changesIn]).toEqual([false, 1_000])
    pass(1_000)
    expect(mastership.held).toBe(true)
  })

  test('the wait is not shortened by a wall clock that jumps', () => {
    mastership.confirmed(now)
    pass(1_000, 3_600_000)
    mastership.confirmed(now)
    expect(mastership.held).toBe(false)
  })

  test('a confirmation after more than a lease proves nothing of the time between', () => {
    mastership.won(now)
    pass(30_000)
    mastership.confirmed(now)
    expect(mastership.held).toBe(false)
    pass(29_999)
    mastership.confirmed(now)
    expect(mastership.held).toBe(false)
    pass(1)
    expect(mastership.held).toBe(true)
  })

  test('the answer’s time counts for that: a slow answer may be of a time when the lease was over', () => {
    mastership.won(now)
    pass(20_000)
    const begin = now
    pass(10_000)
    mastership.confirmed(begin)
    expect(mastership.held).toBe(false)
  })
})
