import { expect, test } from '@jest/globals'
import { setImmediate } from 'node:timers/promises'

import { Mutex } from '../../src/base/mutex.ts'

test('work runs one at a time, in the order in which it came, however long each piece takes', async () => {
  const mutex = new Mutex()
  const steps: string[] = []
  const work = (name: string, turns: number) => async () => {
    steps.push(`${name} begins`)
    for (let turn = 0; turn < turns; turn += 1) await setImmediate()
    steps.push(`${name} ends`)
    return name
  }
  const answers = await Promise.all([mutex.alone(work('a', 3)), mutex.alone(work('b', 0)), mutex.alone(work('c', 1))])
  expect(answers).toEqual(['a', 'b', 'c'])
  expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('a failure is only for the caller that asked for that work', async () => {
  const mutex = new Mutex()
  const failing = mutex.alone(() => Promise.reject(new Error('a failure')))
  const thrown = mutex.alone(() => {
    throw new Error('thrown at once')
  })
  const next = mutex.alone(() => Promise.resolve('next'))
  await expect(failing).rejects.toThrow('a failure')
  await expect(thrown).rejects.toThrow('thrown at once')
  expect(await next).toBe('next')
})

test('what has entered keeps the others out until it leaves, over any number of calls', async () => {
  const mutex = new Mutex()
  const leave = await mutex.enter()
  const steps: string[] = []
  const second = mutex.enter().then((leaveToo) => {
    steps.push('second')
    return leaveToo
  })
  const third = mutex.alone(async () => steps.push('third'))
  await setImmediate()
  expect(steps).toEqual([])
  leave()
  const leaveToo = await second
  // A second call releases nothing that somebody else holds.
  leave()
  await setImmediate()
  expect(steps).toEqual(['second'])
  leaveToo()
  await third
  expect(steps).toEqual(['second', 'third'])
})
