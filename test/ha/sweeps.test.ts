import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, describe, expect, test } from '@jest/globals'

import { UnavailableError } from '../../src/base/errors.ts'
import { createLog } from '../../src/base/log.ts'
import { type Sweep, Sweeps } from '../../src/ha/sweeps.ts'

describe('sweeps', () => {
  let sweeps: Sweeps | undefined
  let lines: { level: number; msg: string; sweep: string }[] = []
  afterEach(async () => {
    await sweeps?.end()
    lines = []
  })

  const of = (sweep: Partial<Sweep> & Pick<Sweep, 'run'>) => {
    const write = (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number])
    sweeps = new Sweeps([{ name: 'a test', interval: 1, deadline: 60_000, ...sweep }], createLog('debug', { write }))
    return sweeps
  }
  const until = async (holds: () => boolean) => {
    const end = performance.now() + 10_000
    while (!holds()) {
      if (performance.now() > end) throw new Error('it did not come to this')
      await sleep(1)
    }
  }

  test('run again and again while the instance is the master, and not before', async () => {
    let runs = 0
    const some = of({
      async *run() {
        runs += 1
      },
    })
    await sleep(20)
    expect(runs).toBe(0)
    some.begin(() => true)
    await until(() => runs >= 3)
    await some.end()
    const before = runs
    await sleep(20)
    expect(runs).toBe(before)
    some.begin(() => true)
    await until(() => runs > before)
  })

  test('begin no page after the lease has ended, though this instance was not told yet, and go on when it is valid', async () => {
    let isMaster = true
    let pages = 0
    of({
      async *run() {
        for (;;) {
          pages += 1
          // The lease ends in the middle of a page.
          if (pages === 3) isMaster = false
          yield
        }
      },
    }).begin(() => isMaster)
    await until(() => pages === 3)
    await sleep(30)
    expect(pages).toBe(3)
    isMaster = true
    await until(() => pages > 3)
  })

  test('the end waits for the page that runs, and for no further one', async () => {
    let answer: () => void = () => undefined
    let pages = 0
    const some = of({
      async *run() {
        for (;;) {
          pages += 1
          await new Promise<void>((resolve) => (answer = resolve))
          yield
        }
      },
    })
    some.begin(() => true)
    await until(() => pages === 1)
    let ended = false
    const ending = some.end().then(() => (ended = true))
    await sleep(20)
    expect(ended).toBe(false)
    answer()
    await ending
    expect(pages).toBe(1)
  })

  test('a page that never ends is given up at its deadline, and the sweep is tried again', async () => {
    let runs = 0
    of({
      deadline: 20,
      async *run() {
        runs += 1
        if (runs === 1) await new Promise(() => undefined)
        yield
      },
    }).begin(() => true)
    await until(() => runs > 2)
    expect(lines).toEqual([expect.objectContaining({ level: 50, msg: 'a sweep failed', sweep: 'a test' })])
  })

  test('a run that fails is logged, and tried again after its own pause; a fault of the database is logged once elsewhere', async () => {
    const errors = [new Error('a mistake'), new UnavailableError('full')]
    let runs = 0
    of({
      interval: 60_000,
      retry: 1,
      async *run() {
        runs += 1
        const error = errors.shift()
        if (error) throw error
        yield
      },
    }).begin(() => true)
    await until(() => runs === 3)
    await sleep(20)
    expect(runs).toBe(3)
    expect(lines.map(({ level }) => level)).toEqual([50, 20])
  })
})
