import { describe, expect, test } from '@jest/globals'

import { LimitError } from '../../src/base/errors.ts'
import { AbandonedError, FairQueue } from '../../src/base/limits/fair-queue.ts'

/** A client that stays. */
const stays = () => new AbortController().signal

/** What was asked for is begun, and what has ended has made room. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A queue, what was started in it in which order, and a way to end a piece of work. */
function site(limits = { running: 2, waitingOfOwner: 3, waiting: 5 }) {
  const queue = new FairQueue(limits)
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const ask = (owner: string, name: string, signal = stays()) =>
    queue.run(owner, signal, () => {
      started.push(name)
      return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
    })
  const end = async (name: string) => {
    ends.get(name)?.()
    await turn()
  }
  return { queue, started, ask, end }
}

describe('a fair queue', () => {
  test('runs one piece of work of each owner at a time, and so many in all', async () => {
    const { started, ask, queue } = site()
    for (const name of ['a1', 'a2', 'b1', 'c1']) void ask(name.charAt(0), name)
    await turn()
    expect(started).toEqual(['a1', 'b1'])
    expect(queue.size).toEqual({ running: 2, waiting: 2 })
  })

  test('lets owners take turns, however much one of them wants', async () => {
    const { started, ask, end } = site()
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'c2']) void ask(name.charAt(0), name)
    await turn()
    for (const name of ['a1', 'b1', 'a2', 'c1', 'a3', 'c2', 'a4']) await end(name)
    expect(started).toEqual(['a1', 'b1', 'a2', 'c1', 'a3', 'c2', 'a4'])
  })

  test('refuses what one owner wants beyond its share, and says when to come again; others are taken', async () => {
    const { ask, started } = site()
    for (const name of ['a1', 'a2', 'a3', 'a4']) void ask('a', name)
    const refusal: unknown = await ask('a', 'a5').catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(LimitError)
    expect((refusal as LimitError).retryAfterSeconds).toBeGreaterThanOrEqual(1)
    void ask('b', 'b1')
    await turn()
    expect(started).toEqual(['a1', 'b1'])
  })

  test('refuses what all want together beyond what it keeps waiting', async () => {
    const { ask } = site()
    for (const owner of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) void ask(owner, owner)
    await expect(ask('h', 'h')).rejects.toThrow('at this server')
  })

  test('drops what waits and whose client has left, and does not start what came too late', async () => {
    const { queue, started, ask, end } = site()
    const leaving = new AbortController()
    void ask('a', 'a1')
    const waiting = ask('a', 'a2', leaving.signal)
    void ask('a', 'a3')
    leaving.abort()
    await expect(waiting).rejects.toThrow(AbandonedError)
    await expect(ask('b', 'b1', leaving.signal)).rejects.toThrow(AbandonedError)
    await end('a1')
    expect(started).toEqual(['a1', 'a3'])
    expect(queue.size).toEqual({ running: 1, waiting: 0 })
  })

  test('goes on after work that failed', async () => {
    const { queue, started, ask } = site()
    await expect(queue.run('a', stays(), () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    void ask('a', 'a1')
    await turn()
    expect(started).toEqual(['a1'])
  })
})
