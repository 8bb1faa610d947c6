import { afterEach, describe, expect, test } from '@jest/globals'

import { createLog } from '../../src/base/log.ts'
import type { Moment } from '../../src/ha/belief.ts'
import { type ReplicaRegistry, type ReplicaRole, type RunningReplica, startReplica } from '../../src/ha/replica.ts'
import { eventually } from '../support/eventually.ts'

/** So short that the next heartbeat comes at once; time that matters passes on the test's own clock. */
const intervals = { heartbeat: 10, belief: 25_000, lease: 30_000 }
const address = 'http://one.example/'

/** A table of instances that does what the test says, and remembers what was asked. */
class FakeRegistry implements ReplicaRegistry {
  role: ReplicaRole | null = 'replica'
  vacant = true
  broken: Error | null = null
  readonly calls: string[] = []

  async register(_instance: object, { onlyLate }: { onlyLate: boolean }): Promise<ReplicaRole | null> {
    return this.#answer(`register${onlyLate ? ' if late' : ''}`, this.role ?? 'replica')
  }
  async heartbeat() {
    return this.#answer('heartbeat', this.role)
  }
  async takeOver() {
    if (this.vacant && !this.broken) this.role = 'master'
    return this.#answer('takeOver', this.vacant)
  }
  async release() {
    this.#answer('release', null)
  }
  #answer<T>(call: string, result: T): T {
    this.calls.push(call)
    if (this.broken) throw this.broken
    return result
  }
}

describe('an instance', () => {
  let running: RunningReplica | undefined
  afterEach(() => running?.stop())

  /** Starts one, with its registry, the lines of its log, what its callbacks heard, and a clock to be set. */
  async function start(registry: ReplicaRegistry, callbacks: { onPromoted?: () => void } = {}) {
    const lines: { level: number; msg: string }[] = []
    const heard: string[] = []
    const clock = { now: { steady: 0, wall: 0 } satisfies Moment as Moment }
    running = await startReplica({
      registry,
      address,
      intervals,
      log: createLog('info', { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[number]) }),
      onPromoted: () => void heard.push('promoted'),
      onDemoted: () => void heard.push('demoted'),
      clocks: () => clock.now,
      ...callbacks,
    })
    const messages = () => lines.map(({ msg }) => msg)
    const pass = (milliseconds: number) => {
      clock.now = { steady: clock.now.steady + milliseconds, wall: clock.now.wall + milliseconds }
    }
    return { replica: running, heard, messages, pass }
  }
  const more = (registry: FakeRegistry, call: string, times = 2) => {
    const count = () => registry.calls.filter((one) => one === call).length
    const before = count()
    return eventually(`${times} more calls of ${call}`, () => count() >= before + times)
  }

  test('alone, it is the master when it has started, and gives up the role and its row when it stops', async () => {
    const registry = new FakeRegistry()
    const { replica, heard } = await start(registry)
    expect([replica.isMaster(), registry.calls]).toEqual([true, ['register', 'takeOver']])
    await more(registry, 'heartbeat')
    const stopped = replica.stop()
    expect(replica.isMaster()).toBe(false)
    await stopped
    await replica.stop()
    expect([registry.calls.at(-1), registry.calls.filter((call) => call === 'release').length]).toEqual(['release', 1])
    expect(heard).toEqual(['promoted', 'demoted'])
  })

  test('beside a master, it tries at every heartbeat and takes over once it can', async () => {
    const registry = new FakeRegistry()
    registry.vacant = false
    const { replica } = await start(registry)
    await more(registry, 'takeOver')
    expect(replica.isMaster()).toBe(false)
    registry.vacant = true
    await eventually('being the master', () => replica.isMaster())
  })

  test('an outage is logged once, ends the belief in time, and is over with the next heartbeat', async () => {
    const registry = new FakeRegistry()
    const { replica, heard, messages, pass } = await start(registry)
    registry.broken = new Error('the database is away')
    pass(20_000)
    await more(registry, 'heartbeat', 5)
    expect(replica.isMaster()).toBe(true)
    pass(5_000)
    expect(replica.isMaster()).toBe(false)
    await eventually('the callback', () => heard.includes('demoted'))
    registry.broken = null
    // The lease ran out, so that the database does not prolong it.
    registry.role = 'replica'
    await eventually('being the master again', () => replica.isMaster())
    registry.broken = new Error('the database is away again')
    await more(registry, 'heartbeat', 3)
    expect(messages().filter((line) => line.startsWith('no heartbeat'))).toHaveLength(2)
    expect(messages().filter((line) => line === 'heartbeats work again')).toHaveLength(1)
    expect(heard).toEqual(['promoted', 'demoted', 'promoted'])
  })

  test('it starts without a database, and registers when there is one', async () => {
    const registry = new FakeRegistry()
    registry.broken = new Error('not yet')
    const { replica } = await start(registry)
    await more(registry, 'register')
    expect(replica.isMaster()).toBe(false)
    registry.broken = null
    await eventually('being the master', () => replica.isMaster())
  })

  test('when its row is gone, it stops to believe at once and registers again, giving way to a live namesake', async () => {
    const registry = new FakeRegistry()
    const { replica, messages } = await start(registry)
    registry.role = null
    registry.vacant = false
    await more(registry, 'register if late', 1)
    expect(replica.isMaster()).toBe(false)
    registry.register = async () => Promise.resolve(null)
    registry.role = null
    await eventually('a word about the namesake', () => messages().some((line) => line.startsWith('no heartbeat')))
    expect(messages()).toContain('the row of this instance is gone; registering again')
    expect(replica.isMaster()).toBe(false)
  })

  test('told by its heartbeat that it is not the master any more, it stops to believe', async () => {
    const registry = new FakeRegistry()
    const { replica, heard } = await start(registry)
    registry.vacant = false
    registry.role = 'replica'
    await eventually('the end of the belief', () => !replica.isMaster())
    expect(heard).toEqual(['promoted', 'demoted'])
  })

  test('a row that was a master’s when it was taken over makes a master one lease later', async () => {
    const registry = new FakeRegistry()
    registry.role = 'master'
    const { replica, pass } = await start(registry)
    for (const step of [20_000, 9_999]) {
      pass(step)
      await more(registry, 'heartbeat')
      expect(replica.isMaster()).toBe(false)
    }
    pass(1)
    expect(replica.isMaster()).toBe(true)
  })

  test('an answer that never comes counts as a failure: the next heartbeat is sent, and the belief ends', async () => {
    const registry = new FakeRegistry()
    const answers: ((role: ReplicaRole) => void)[] = []
    registry.heartbeat = () => new Promise<ReplicaRole>((resolve) => answers.push(resolve))
    // On the real clocks: a call counts as failed after a third of the lease.
    running = await startReplica({
      registry,
      address,
      intervals: { heartbeat: 10, belief: 70, lease: 90 },
      log: createLog('silent'),
    })
    await eventually('a second heartbeat, since the first was given up', () => answers.length >= 2)
    await eventually('the end of the belief', () => !running?.isMaster())
    registry.heartbeat = async () => Promise.resolve('replica')
  })

  test('a callback that throws is logged and harms nothing', async () => {
    const { replica, messages } = await start(new FakeRegistry(), {
      onPromoted: () => {
        throw new Error('the callback’s own fault')
      },
    })
    expect(replica.isMaster()).toBe(true)
    await eventually('a line in the log', () => messages().includes('taking up or giving up the master’s work failed'))
  })

  test('a stop without a database ends all the same', async () => {
    const registry = new FakeRegistry()
    const { replica, messages } = await start(registry)
    registry.broken = new Error('the database is away')
    await replica.stop()
    expect([replica.isMaster(), messages().some((line) => line.includes('could not be deleted'))]).toEqual([
      false,
      true,
    ])
  })
})
