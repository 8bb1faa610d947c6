import { describe, expect, test } from '@jest/globals'

import { afterPromises, Batches } from '../../src/base/batches.ts'

/** A batcher that answers each key with its double, and the batches that it was given. */
function doubles(options: ConstructorParameters<typeof Batches<number, number>>[1] = {}) {
  const batches: (readonly number[])[] = []
  const gathered = new Batches<number, number>((keys) => {
    batches.push(keys)
    return Promise.resolve(keys.map((key) => (key < 0 ? new Error(`no ${key}`) : key * 2)))
  }, options)
  return { gathered, batches }
}

describe('keys that are asked for in one tick of the event loop', () => {
  test('are answered together, each with its own value, also when they are asked for after a promise', async () => {
    const { gathered, batches } = doubles()
    const later = new Promise((resolve) => process.nextTick(resolve)).then(() => null).then(() => gathered.ask(3))
    expect(await Promise.all([gathered.ask(1), gathered.ask(2), later])).toEqual([2, 4, 6])
    expect(batches).toEqual([[1, 2, 3]])
  })

  test('of one request are answered before the sockets are read again, and after every promise that can go on', async () => {
    const { gathered, batches } = doubles({ wait: afterPromises })
    const order: string[] = []
    setImmediate(() => order.push('sockets'))
    const later = Promise.resolve()
      .then(() => null)
      .then(() => gathered.ask(2))
    await Promise.all([gathered.ask(1), later]).then(() => order.push('answered'))
    await new Promise((resolve) => setImmediate(resolve))
    expect({ order, batches }).toEqual({ order: ['answered', 'sockets'], batches: [[1, 2]] })
  })

  test('are asked for anew in the next tick: nothing is remembered', async () => {
    const { gathered, batches } = doubles()
    await gathered.ask(1)
    await gathered.ask(1)
    expect(batches).toEqual([[1], [1]])
  })

  test('fail one by one with an Error of their own, and together with a thrown one', async () => {
    const { gathered } = doubles()
    const [good, bad] = await Promise.allSettled([gathered.ask(1), gathered.ask(-1)])
    expect(good).toEqual({ status: 'fulfilled', value: 2 })
    expect(bad).toMatchObject({ status: 'rejected', reason: { message: 'no -1' } })
    const failing = new Batches<number, number>(() => Promise.reject(new Error('the disk is gone')))
    for (const { status } of await Promise.allSettled([failing.ask(1), failing.ask(2)])) expect(status).toBe('rejected')
  })

  test('wait for the next tick where one batch would be too large', async () => {
    const { gathered, batches } = doubles({ size: 2 })
    expect(await Promise.all([1, 2, 3].map((key) => gathered.ask(key)))).toEqual([2, 4, 6])
    expect(batches).toEqual([[1, 2], [3]])
  })

  test('gather while as many batches as allowed are being answered', async () => {
    const batches: (readonly number[])[] = []
    const open: (() => void)[] = []
    const gathered = new Batches<number, number>(
      async (keys) => {
        batches.push(keys)
        await new Promise<void>((resolve) => open.push(resolve))
        return keys
      },
      { atOnce: 1 },
    )
    const tick = () => new Promise((resolve) => setImmediate(resolve))
    const first = gathered.ask(1)
    await tick()
    const others = [gathered.ask(2)]
    await tick()
    others.push(gathered.ask(3))
    await tick()
    expect(batches).toEqual([[1]])
    open.shift()?.()
    await first
    await tick()
    expect(batches).toEqual([[1], [2, 3]])
    open.shift()?.()
    expect(await Promise.all(others)).toEqual([2, 3])
  })
})
